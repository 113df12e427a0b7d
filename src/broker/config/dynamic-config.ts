/**
 * A broker's configuration as it is now: the static one, under the cluster-wide dynamic settings (`/config/brokers/<default>`),
 * under its own (`/config/brokers/<id>`). Who depends on a key that can change registers as a `BrokerReconfigurable`.
 * Kafka 3.9: `DynamicBrokerConfig`.
 *
 * Differs from Kafka: listeners, their security settings and `num.network.threads` can't change while the broker runs (KIP-226
 * allows it); such a change is refused. A stored setting that is invalid is left out with a log line, so that the broker starts.
 */
import type { Logger } from '../../runtime/logger.ts';
import { brokerSynonyms } from './broker-synonyms.ts';
import { ConfigException, parseValue } from './config-def.ts';
import { baseKeyOf, brokerKey, type KafkaConfig, parseKafkaConfig } from './kafka-config.ts';

export interface BrokerReconfigurable {
  /** The keys it depends on. */
  readonly reconfigurableConfigs: readonly string[];
  /** Throws ConfigException when it can't take `newConfig`; nothing has changed then. */
  validateReconfiguration?(newConfig: KafkaConfig): void;
  /** One of its keys has changed; those that have are in `changedKeys`. */
  reconfigure(oldConfig: KafkaConfig, newConfig: KafkaConfig, changedKeys: ReadonlySet<string>): void;
}

type Texts = Readonly<Record<string, string>>;

/** A pool may grow at most to the double and shrink at most to the half in one step (Kafka: `DynamicThreadPool`). */
const POOLS: readonly (readonly [key: string, sizeOf: (config: KafkaConfig) => number])[] = [
  ['num.io.threads', (config) => config.numIoThreads],
  ['num.replica.fetchers', (config) => config.numReplicaFetchers],
  ['num.recovery.threads.per.data.dir', (config) => config.numRecoveryThreadsPerDataDir],
  ['background.threads', (config) => config.backgroundThreads],
  ['log.cleaner.threads', (config) => config.logCleanerThreads],
];

export class DynamicBrokerConfig {
  readonly #static: KafkaConfig;
  readonly #logger: Logger;
  readonly #reconfigurables = new Set<BrokerReconfigurable>();
  #brokerTexts: Texts = {};
  #defaultTexts: Texts = {};
  #current: KafkaConfig;

  constructor(staticConfig: KafkaConfig, logger: Logger) {
    this.#static = staticConfig;
    this.#logger = logger.child({ component: 'dynamic-config' });
    this.#current = staticConfig;
  }

  /** What holds now. */
  get current(): KafkaConfig {
    return this.#current;
  }
  /** This broker's own dynamic settings. */
  get dynamicBrokerConfigs(): Texts {
    return this.#brokerTexts;
  }
  /** The cluster-wide dynamic settings. */
  get dynamicDefaultConfigs(): Texts {
    return this.#defaultTexts;
  }
  /** What the broker was started with. */
  get staticBrokerConfigs(): Texts {
    return this.#static.originals;
  }

  /** Registers someone to be told of changes; returns how to end that. */
  addReconfigurable(reconfigurable: BrokerReconfigurable): () => void {
    this.#reconfigurables.add(reconfigurable);
    return () => this.#reconfigurables.delete(reconfigurable);
  }

  /** The settings of `/config/brokers/<id>` have been read or have changed. */
  updateBrokerConfig(texts: Texts): void {
    this.#brokerTexts = this.#valid(texts, true);
    this.#apply();
  }

  /** The settings of `/config/brokers/<default>` have been read or have changed. */
  updateDefaultConfig(texts: Texts): void {
    this.#defaultTexts = this.#valid(texts, false);
    this.#apply();
  }

  /**
   * Checks a whole new set of dynamic settings of this broker, or of the cluster-wide ones.
   * @throws ConfigException with key, value and what is allowed.
   */
  validate(texts: Texts, perBroker: boolean): void {
    for (const [name, text] of Object.entries(texts)) checkDynamic(name, text, perBroker);
    const newConfig = perBroker ? this.#merge(this.#defaultTexts, texts) : this.#merge(texts, this.#brokerTexts);
    this.#checkPools(newConfig);
    for (const reconfigurable of this.#reconfigurables) {
      if (changedKeys(this.#current, newConfig, reconfigurable).size > 0) reconfigurable.validateReconfiguration?.(newConfig);
    }
  }

  /** What is stored may come from another version, or from a hand: what can't be used is left out. */
  #valid(texts: Texts, perBroker: boolean): Texts {
    const valid: Record<string, string> = {};
    for (const [name, text] of Object.entries(texts)) {
      try {
        checkDynamic(name, text, perBroker);
        valid[name] = text;
      } catch (error) {
        this.#logger.error(
          { err: error, key: name },
          `The dynamic setting ${name} of ${perBroker ? 'this broker' : 'all brokers'} is ignored`,
        );
      }
    }
    return valid;
  }

  #apply(): void {
    const oldConfig = this.#current;
    let newConfig: KafkaConfig;
    try {
      newConfig = this.#merge(this.#defaultTexts, this.#brokerTexts);
    } catch (error) {
      this.#logger.error({ err: error }, 'The dynamic settings contradict the static ones and are not applied');
      return;
    }
    this.#current = newConfig;
    for (const reconfigurable of this.#reconfigurables) {
      const changed = changedKeys(oldConfig, newConfig, reconfigurable);
      if (changed.size > 0) reconfigurable.reconfigure(oldConfig, newConfig, changed);
    }
  }

  #merge(defaultTexts: Texts, brokerTexts: Texts): KafkaConfig {
    const texts: Record<string, string> = { ...this.#static.originals };
    for (const overrides of [defaultTexts, brokerTexts]) {
      for (const [name, text] of Object.entries(overrides)) {
        // A dynamic log.roll.hours counts more than a static log.roll.ms; a listener's override leaves its base key alone.
        if (baseKeyOf(name) === name) for (const synonym of brokerSynonyms(name)) delete texts[synonym];
        texts[name] = text;
      }
    }
    return parseKafkaConfig(texts);
  }

  #checkPools(newConfig: KafkaConfig): void {
    for (const [key, sizeOf] of POOLS) {
      const oldSize = sizeOf(this.#current);
      const newSize = sizeOf(newConfig);
      if (newSize === oldSize) continue;
      if (newSize < 1) throw new ConfigException(key, String(newSize), 'must be at least 1');
      if (newSize < Math.floor(oldSize / 2))
        throw new ConfigException(key, String(newSize), `must be at least half the current value ${oldSize}`);
      if (newSize > oldSize * 2)
        throw new ConfigException(key, String(newSize), `must not be more than double the current value ${oldSize}`);
    }
  }
}

/** Unknown keys are let through, as Kafka does: they may be for a plug-in. */
function checkDynamic(name: string, text: string, perBroker: boolean): void {
  const key = brokerKey(name);
  if (key === undefined) return;
  if (key.dynamic === 'read-only') throw new ConfigException(name, text, 'Cannot update these configs dynamically');
  if (key.dynamic === 'per-broker' && !perBroker) {
    throw new ConfigException(name, text, 'Cannot update these configs at default cluster level, broker id must be specified');
  }
  parseValue(name, key, text);
}

function changedKeys(oldConfig: KafkaConfig, newConfig: KafkaConfig, { reconfigurableConfigs }: BrokerReconfigurable): ReadonlySet<string> {
  return new Set(reconfigurableConfigs.filter((key) => oldConfig.originals[key] !== newConfig.originals[key]));
}
