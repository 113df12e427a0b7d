/**
 * Names of topics that mean something: internal ones, and those that collide because metrics write '.' and '_' alike.
 * Which names are allowed is in `config/topic-name.ts`. Source: org.apache.kafka.common.internals.Topic.
 */
export const GROUP_METADATA_TOPIC_NAME = '__consumer_offsets';
export const TRANSACTION_STATE_TOPIC_NAME = '__transaction_state';

export function isInternalTopic(topic: string): boolean {
  return topic === GROUP_METADATA_TOPIC_NAME || topic === TRANSACTION_STATE_TOPIC_NAME;
}

export function hasCollisionChars(topic: string): boolean {
  return topic.includes('_') || topic.includes('.');
}

/** Whether two names differ at most in '.' and '_'. */
export function hasCollision(a: string, b: string): boolean {
  return unifyCollisionChars(a) === unifyCollisionChars(b);
}

function unifyCollisionChars(topic: string): string {
  return topic.replaceAll('.', '_');
}
