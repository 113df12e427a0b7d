/**
 * DescribeUserScramCredentials, API 50. SCRAM credentials, without their secrets (KIP-554).
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request: [field('users', array('UserName', [field('name', 'string', '0+')]), '0+', { nullable: '0+' })],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field('errorMessage', 'string', '0+', { nullable: '0+' }),
    field(
      'results',
      array('DescribeUserScramCredentialsResult', [
        field('user', 'string', '0+'),
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '0+', { nullable: '0+' }),
        field('credentialInfos', array('CredentialInfo', [field('mechanism', 'int8', '0+'), field('iterations', 'int32', '0+')]), '0+'),
      ]),
      '0+',
    ),
  ],
});
