/** Broker keys that mean the same thing, the one that counts most first. Kafka 3.9: `DynamicBrokerConfig.brokerConfigSynonyms`. */
import { baseKeyOf } from './kafka-config.ts';

const GROUPS: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
];

/** Only for the first: the scheduler's interval has a meaning of its own. */
const FLUSH = ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'];

/** `name` and the keys it falls back on; listener overrides fall back on their base key. */
export function brokerSynonyms(name: string): readonly string[] {
  if (name === FLUSH[0]) return FLUSH;
  const group = GROUPS.find((names) => names.includes(name));
  if (group !== undefined) return group;
  const base = baseKeyOf(name);
  return base === name ? [name] : [name, base];
}
