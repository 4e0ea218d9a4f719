// Plays with the local OSS through `ali-oss`: node judge_oss.js http://127.0.0.1:PORT
'use strict';

const crypto = require('crypto');
const OSS = require('ali-oss');

const BODY = '0123456789';
const HOSTILE = 'a b*c~d+e/中&=%"\'<?#\u{1f39e}.txt';
const PART = Buffer.alloc(100 * 1024);
// It signs no URL for an address of digits.
const endpoint = process.argv[2].replace('127.0.0.1', 'localhost');

function opened(scheme, accessKeyId, accessKeySecret, more = {}) {
  return new OSS({
    endpoint,
    bucket: `bucket-${scheme}`,
    region: 'oss-cn-shanghai',
    sldEnable: true, // the bucket in the path
    authorizationV4: scheme === 'v4',
    accessKeyId,
    accessKeySecret,
    ...more,
  });
}

async function refusal(attempt) {
  try {
    await attempt();
    return [];
  } catch (error) {
    return [error.status, error.code.replace(/Error$/, '')];
  }
}

async function read(client, key, headers = {}) {
  return (await client.get(key, { headers })).content.toString();
}

async function signed(client, scheme, key) {
  const url =
    scheme === 'v4' ? await client.signatureUrlV4('GET', 60, {}, key) : client.signatureUrl(key, { expires: 60 });
  return (await fetch(url)).text();
}

async function objects(own, scheme) {
  await own.put(HOSTILE, Buffer.from(BODY), { meta: { word: 'value' }, mime: 'text/plain' });
  const head = await own.head(HOSTILE);
  await own.copy('copy', HOSTILE);
  return {
    whole: await read(own, HOSTILE),
    range: await read(own, HOSTILE, { Range: 'bytes=2-5' }),
    size: Number(head.res.headers['content-length']),
    type: head.res.headers['content-type'],
    'etag is md5': head.res.headers.etag === `"${crypto.createHash('md5').update(BODY).digest('hex').toUpperCase()}"`,
    metadata: head.meta.word,
    copy: await read(own, 'copy'),
    'signed url': await signed(own, scheme, HOSTILE),
    missing: await refusal(() => own.get('nothing')),
    'head of missing': await refusal(() => own.head('nothing')),
  };
}

async function conditions(own) {
  await own.put('there', Buffer.from(BODY));
  const { etag } = (await own.head('there')).res.headers;
  const md5 = crypto.createHash('md5').update('other').digest('base64');
  const put = headers => own.put('there', Buffer.from('x'), { headers });
  return {
    'forbidden overwrite': await refusal(() => put({ 'x-oss-forbid-overwrite': 'true' })),
    'wrong md5': await refusal(() => put({ 'Content-MD5': md5 })),
    'none match': (await own.head('there', { headers: { 'If-None-Match': etag } })).status,
    match: await refusal(() => own.get('there', { headers: { 'If-Match': '"other"' } })),
  };
}

async function growing(own) {
  const { nextAppendPosition } = await own.append('appended', Buffer.from(BODY));
  await own.append('appended', Buffer.from(BODY), { position: nextAppendPosition });
  const { uploadId } = await own.initMultipartUpload('parts', { meta: { word: 'value' } });
  const put = number => own.uploadPart('parts', uploadId, number, PART, 0, PART.length);
  const etags = [(await put(1)).etag, (await put(2)).etag];
  const listed = (await own.listParts('parts', uploadId)).parts.map(part => Number(part.Size));
  await own.completeMultipartUpload('parts', uploadId, etags.map((etag, index) => ({ number: index + 1, etag })));
  const givenUp = (await own.initMultipartUpload('given-up')).uploadId;
  await own.abortMultipartUpload('given-up', givenUp);
  return {
    appended: await read(own, 'appended'),
    'wrong position': await refusal(() => own.append('appended', Buffer.from(BODY), { position: 3 })),
    parts: (await own.get('parts')).content.equals(Buffer.concat([PART, PART])),
    'listed parts': listed,
    'metadata of parts': (await own.head('parts')).meta.word,
    'after abort': await refusal(() => own.uploadPart('given-up', givenUp, 1, PART, 0, PART.length)),
  };
}

async function names(page) {
  const found = [];
  for (let next = ''; next !== null; ) {
    const listed = await page(next);
    found.push(...(listed.objects || []).map(object => object.name));
    next = listed.isTruncated ? listed.nextMarker || listed.nextContinuationToken : null;
  }
  return found;
}

async function lists(own) {
  for (let number = 0; number < 5; number += 1) await own.put(`list/${number}/x`, Buffer.from(BODY));
  await own.put('list/ <y>&中', Buffer.from(BODY));
  const folders = await own.list({ prefix: 'list/', delimiter: '/' });
  const v1 = marker => own.list({ prefix: 'list/', 'max-keys': 2, ...(marker && { marker }) });
  const told = {
    'list v1': await names(v1),
    'list v2': await names(token =>
      own.listV2({ prefix: 'list/', 'max-keys': 2, ...(token && { 'continuation-token': token }) })
    ),
    folders: folders.prefixes,
    'beside folders': folders.objects.map(object => object.name),
    buckets: (await own.listBuckets()).buckets.map(bucket => bucket.name),
  };
  await own.deleteMulti(['list/0/x', 'list/1/x']);
  await own.delete('list/2/x');
  return { ...told, left: await names(v1) };
}

async function keys(scheme) {
  const temporary = opened(scheme, 'temporary-key', 'temporary-secret', {
    stsToken: 'temporary-token',
    refreshSTSToken: async () => ({}),
    refreshSTSTokenInterval: 3600000,
  });
  const elsewhere = opened(scheme, 'own-key', 'own-secret', { bucket: 'nobodys-bucket' });
  return {
    'temporary key': await read(temporary, 'there'),
    'signed url of a temporary key': await signed(temporary, scheme, 'there'),
    'wrong secret': await refusal(() => opened(scheme, 'own-key', 'wrong').get('there')),
    'unknown key': await refusal(() => opened(scheme, 'who', 'own-secret').get('there')),
    'without token': await refusal(() => opened(scheme, 'temporary-key', 'temporary-secret').get('there')),
    'missing bucket': await refusal(() => elsewhere.get('there')),
  };
}

async function versions(own, bucket) {
  const status = async () => (await own.getBucketVersioning(bucket)).versionStatus || null;
  const before = await status();
  await own.putBucketVersioning(bucket, 'Suspended');
  await own.put('there', Buffer.from(BODY), { headers: { 'x-oss-forbid-overwrite': 'true' } });
  return { versioning: [before, await status()], 'overwrite with versions': await read(own, 'there') };
}

async function judge(scheme) {
  const own = opened(scheme, 'own-key', 'own-secret');
  return {
    ...(await objects(own, scheme)),
    ...(await conditions(own)),
    ...(await growing(own)),
    ...(await lists(own)),
    ...(await keys(scheme)),
    ...(await versions(own, `bucket-${scheme}`)),
  };
}

(async () => {
  process.stdout.write(JSON.stringify({ v1: await judge('v1'), v4: await judge('v4') }));
})();
