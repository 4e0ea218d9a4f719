"""A small template, for the tests and for the vendor's client, which has no YAML beside it."""

REGION = "cn-shanghai"
TEMPLATE = """\
ROSTemplateFormatVersion: '2015-09-01'
Parameters:
  Name: {Type: String, Default: media}
  Code: {Type: String}
Resources:
  Queue:
    Type: ALIYUN::MNS::Queue
    Properties: {QueueName: !Sub '${Name}-callbacks'}
  Function:
    Type: ALIYUN::FC3::Function
    Properties: {FunctionName: !Ref Name, Code: {OssObjectName: !Ref Code}}
Outputs:
  Queue: {Value: !Sub 'https://${ALIYUN::TenantId}.example/${Name}-callbacks'}
  Function: {Value: !GetAtt Function.ARN}
"""
