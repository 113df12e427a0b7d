/**
 * AlterUserScramCredentials, API 51. Sets and deletes SCRAM credentials (KIP-554).
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request: [
    field('deletions', array('ScramCredentialDeletion', [field('name', 'string', '0+'), field('mechanism', 'int8', '0+')]), '0+'),
    field(
      'upsertions',
      array('ScramCredentialUpsertion', [
        field('name', 'string', '0+'),
        field('mechanism', 'int8', '0+'),
        field('iterations', 'int32', '0+'),
        field('salt', 'bytes', '0+'),
        field('saltedPassword', 'bytes', '0+'),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'results',
      array('AlterUserScramCredentialsResult', [
        field('user', 'string', '0+'),
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '0+', { nullable: '0+' }),
      ]),
      '0+',
    ),
  ],
});
