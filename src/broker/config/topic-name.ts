/** Which topic names are allowed. Kafka 3.9: `Topic.validate`. */
const LEGAL = /^[a-zA-Z0-9._-]+$/;
const MAX_LENGTH = 249;

/** Why `name` can't be a topic's; undefined when it can. */
export function invalidTopicNameReason(name: string): string | undefined {
  if (name === '') return 'Topic name is empty';
  if (name === '.' || name === '..') return `Topic name must not be ${name}`;
  if (name.length > MAX_LENGTH) return `Topic name has ${name.length} characters, more than ${MAX_LENGTH}`;
  return LEGAL.test(name) ? undefined : `Topic name ${JSON.stringify(name)} holds characters other than letters, digits, '.', '_' and '-'`;
}
