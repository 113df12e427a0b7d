/** What is checked in the create dialog before the broker is asked. Pure. */
import { configProblem } from '../../../console/contract/config-problem.ts';
import type { TopicConfigSpec } from '../../../console/contract/configs.ts';
import { topicName } from '../../../console/contract/inputs.ts';

export interface NewTopic {
  readonly name: string;
  /** As typed; empty: the broker's default. */
  readonly partitions: string;
  readonly replicationFactor: string;
  readonly configs: readonly { readonly name: string; readonly value: string }[];
}

export type NameProblem = 'empty' | 'characters' | 'length' | 'dots';

export interface NewTopicProblems {
  readonly name: NameProblem | null;
  readonly partitions: 'number' | 'max' | null;
  readonly replicationFactor: 'number' | 'brokers' | null;
  /** By key, in prose. */
  readonly configs: ReadonlyMap<string, string>;
}

const wholeNumber = /^[1-9]\d{0,8}$/;
const MAX_PARTITIONS = 10_000;

export function checkName(name: string): NameProblem | null {
  if (name === '') return 'empty';
  if (name === '.' || name === '..') return 'dots';
  if (name.length > 249) return 'length';
  return topicName.safeParse(name).success ? null : 'characters';
}

/** `brokers` is how many there are to hold replicas; null: not known. */
export function checkNewTopic(topic: NewTopic, specs: ReadonlyMap<string, TopicConfigSpec>, brokers: number | null): NewTopicProblems {
  const { partitions, replicationFactor } = topic;
  const configs = new Map<string, string>();
  for (const { name, value } of topic.configs) {
    const spec = specs.get(name);
    const problem = spec === undefined ? undefined : configProblem(spec, value);
    if (problem !== undefined) configs.set(name, problem);
  }
  return {
    name: checkName(topic.name),
    partitions: partitions === '' ? null : !wholeNumber.test(partitions) ? 'number' : Number(partitions) > MAX_PARTITIONS ? 'max' : null,
    replicationFactor:
      replicationFactor === ''
        ? null
        : !wholeNumber.test(replicationFactor)
          ? 'number'
          : brokers !== null && Number(replicationFactor) > brokers
            ? 'brokers'
            : null,
    configs,
  };
}

/** What is wrong with `text` as the new number of partitions of a topic that has `now`. */
export function checkPartitionCount(text: string, now: number): 'number' | 'max' | null {
  if (!wholeNumber.test(text) || Number(text) <= now) return 'number';
  return Number(text) > MAX_PARTITIONS ? 'max' : null;
}

export function hasProblems(problems: NewTopicProblems): boolean {
  return problems.name !== null || problems.partitions !== null || problems.replicationFactor !== null || problems.configs.size > 0;
}
