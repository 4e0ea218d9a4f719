// Use the local Tablestore with the vendor's client for Node.js and print what came, as JSON.
//
// Started by tests/localcloud/tablestore/test_judged_by_the_vendor.py. Argument: the endpoint. This client
// knows signature V2 alone, and gives the body of an error as text.

"use strict";

const TableStore = require("tablestore");
const { Long } = TableStore;

const [TABLE, INDEX, LATER] = ["judged", "judged_by_rank", "judged_by_grade"];
const KEY = [{ name: "a\u0000媒体" }, { number: Long.fromNumber(-7) }, { raw: Buffer.from([0, 255]) }];
const VALUES = [
  { rank: Long.fromNumber(5) },
  { grade: "good" },
  { share: 0.25 },
  { flag: true },
  { blob: Buffer.from([0, 1]) },
  { empty: "" },
];
const { EXPECT_EXIST, EXPECT_NOT_EXIST } = TableStore.RowExistenceExpectation;
const { EQUAL, LESS_EQUAL, GREATER_EQUAL } = TableStore.ComparatorType;

function connect(endpoint, options) {
  const settings = { accessKeyId: "own-key", secretAccessKey: "own-secret", instancename: "local-ledger" };
  return new TableStore.Client({ endpoint, maxRetries: 0, ...settings, ...options });
}

async function failure(attempt) {
  try {
    await attempt();
    return null;
  } catch (error) {
    const code = /OTS[A-Z][A-Za-z]+/.exec(error.message);
    if (code === null) throw error;
    return [error.code, code[0]];
  }
}

function plain(columns) {
  const value = (one) => (Buffer.isBuffer(one) ? one.toString("hex") : typeof one?.toNumber === "function" ? one.toNumber() : one);
  return Object.fromEntries(columns.map((column) => [column.columnName, value(column.columnValue)]));
}

const keyOf = (number) => [{ name: "b" }, { number: Long.fromNumber(number) }, { raw: Buffer.alloc(0) }];

async function row(client, primaryKey) {
  const found = (await client.getRow({ tableName: TABLE, primaryKey, maxVersions: 1 })).row;
  return found && found.attributes ? plain(found.attributes) : null;
}

async function create(client) {
  const { PrimaryKeyType, DefinedColumnType } = TableStore;
  const table = {
    tableMeta: {
      tableName: TABLE,
      primaryKey: [
        { name: "name", type: PrimaryKeyType.STRING },
        { name: "number", type: PrimaryKeyType.INTEGER },
        { name: "raw", type: PrimaryKeyType.BINARY },
      ],
      definedColumn: [
        { name: "rank", type: DefinedColumnType.DCT_INTEGER },
        { name: "grade", type: DefinedColumnType.DCT_STRING },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1 },
  };
  await client.createTable({
    ...table,
    indexMetas: [{ name: INDEX, primaryKey: ["rank"], definedColumn: ["grade"] }],
  });
  const again = await failure(() => client.createTable(table));
  const found = await client.describeTable({ tableName: TABLE });
  const types = { 1: "INTEGER", 2: "STRING", 3: "BINARY" };
  return {
    names: (await client.listTable({})).tableNames,
    key: found.tableMeta.primaryKey.map((column) => [column.name, types[column.type]]),
    indexes: found.indexMetas.map((index) => [index.name, index.primaryKey, index.definedColumn]),
    again,
    unknown: await failure(() => client.describeTable({ tableName: "unknown" })),
  };
}

async function write(client) {
  const put = () =>
    client.putRow({
      tableName: TABLE,
      condition: new TableStore.Condition(EXPECT_NOT_EXIST, null),
      primaryKey: KEY,
      attributeColumns: VALUES,
    });
  const rank = new TableStore.SingleColumnCondition("rank", Long.fromNumber(5), EQUAL, false);
  const absent = (passes) => new TableStore.SingleColumnCondition("absent", Long.fromNumber(9), LESS_EQUAL, passes);
  const update = (changes, passes) => {
    const all = new TableStore.CompositeCondition(TableStore.LogicalOperator.AND);
    all.addSubCondition(rank);
    all.addSubCondition(absent(passes));
    return client.updateRow({
      tableName: TABLE,
      condition: new TableStore.Condition(EXPECT_EXIST, all),
      primaryKey: KEY,
      updateOfAttributeColumns: changes,
    });
  };
  const one = [{ PUT: [{ rank: Long.fromNumber(1) }] }];
  const seen = {
    "update of nothing": await failure(() => update(one, true)),
    insert: await failure(put),
    "second insert": await failure(put),
    row: await row(client, KEY),
    "missing does not pass": await failure(() => update(one, false)),
  };
  await update(
    [{ PUT: [{ share: 0.5 }] }, { DELETE_ALL: ["flag", "empty"] }, { INCREMENT: [{ rank: Long.fromNumber(4) }] }],
    true,
  );
  return { ...seen, updated: await row(client, KEY), batch: await writeBatch(client) };
}

async function writeBatch(client) {
  const item = (primaryKey, attributeColumns) => ({
    type: "PUT",
    condition: new TableStore.Condition(EXPECT_NOT_EXIST, null),
    primaryKey,
    attributeColumns,
  });
  const rows = [0, 1, 2, 3].map((number) => item(keyOf(number), [{ rank: Long.fromNumber(number) }]));
  const send = (items) => client.batchWriteRow({ tables: [{ tableName: TABLE, rows: items }] });
  const { tables } = await send([...rows, item(KEY, VALUES)]);
  return [
    ...tables.map((answer) => answer.isOk || answer.errorCode),
    await failure(() => send([rows[0], rows[0]])),
  ];
}

async function numbers(client, tableName, direction, options) {
  const first = tableName === TABLE ? [{ name: "b" }] : null;
  const ends = [TableStore.INF_MIN, TableStore.INF_MAX].map((end) => [
    ...(first || [{ rank: end }, { name: end }]),
    { number: end },
    { raw: end },
  ]);
  if (direction === TableStore.Direction.BACKWARD) ends.reverse();
  const answer = await client.getRange({
    tableName,
    direction,
    maxVersions: 1,
    inclusiveStartPrimaryKey: ends[0],
    exclusiveEndPrimaryKey: ends[1],
    ...options,
  });
  const number = (key) => key.find((column) => column.name === "number").value.toNumber();
  const following = answer.nextStartPrimaryKey;
  return [answer.rows.map((found) => number(found.primaryKey)), following ? number(following) : null];
}

async function read(client) {
  const { FORWARD, BACKWARD } = TableStore.Direction;
  const { tables } = await client.batchGetRow({
    tables: [{ tableName: TABLE, primaryKey: [keyOf(2), keyOf(9)], maxVersions: 1 }],
  });
  const columnFilter = new TableStore.SingleColumnCondition("rank", Long.fromNumber(2), GREATER_EQUAL, false);
  return {
    "nothing there": await row(client, keyOf(9)),
    "batch get": tables[0].map((found) => (found.attributes ? plain(found.attributes) : null)),
    forward: await numbers(client, TABLE, FORWARD, { limit: 2 }),
    backward: await numbers(client, TABLE, BACKWARD, { limit: 3 }),
    filtered: await numbers(client, TABLE, FORWARD, { columnFilter }),
    "by index": await numbers(client, INDEX, FORWARD),
  };
}

async function changeIndexes(client) {
  const undeletable = await failure(() => client.deleteTable({ tableName: TABLE }));
  await client.createIndex({
    mainTableName: TABLE,
    includeBaseData: true,
    indexMeta: { name: LATER, primaryKey: ["grade"], definedColumn: [] },
  });
  const [from, to] = [TableStore.INF_MIN, TableStore.INF_MAX].map((end) => [
    { grade: "good" },
    { name: end },
    { number: end },
    { raw: end },
  ]);
  const scan = () =>
    client.getRange({
      tableName: LATER,
      direction: TableStore.Direction.FORWARD,
      maxVersions: 1,
      inclusiveStartPrimaryKey: from,
      exclusiveEndPrimaryKey: to,
    });
  const { rows } = await scan();
  for (const indexName of [INDEX, LATER]) await client.dropIndex({ mainTableName: TABLE, indexName });
  return { undeletable, "later index": rows.length, "dropped index": await failure(scan) };
}

async function judge(endpoint) {
  const client = connect(endpoint);
  const refusal = (options) => failure(() => connect(endpoint, options).listTable({}));
  const temporary = { accessKeyId: "STS.key", secretAccessKey: "temporary-secret" };
  const seen = {
    tables: await create(client),
    ...(await write(client)),
    ...(await read(client)),
    ...(await changeIndexes(client)),
    "temporary key": await row(connect(endpoint, { ...temporary, stsToken: "token/+==" }), keyOf(1)),
    "wrong secret": await refusal({ secretAccessKey: "wrong" }),
    "unknown key": await refusal({ accessKeyId: "nobody" }),
    "without token": await refusal(temporary),
    "wrong instance": await refusal({ instancename: "another" }),
  };
  await client.deleteTable({ tableName: TABLE });
  return { ...seen, afterwards: (await client.listTable({})).tableNames };
}

judge(process.argv[2]).then(
  (seen) => {
    process.stdout.write(JSON.stringify({ v2: seen }));
    process.exit(0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
