/**
 * Which ZooKeeper the integration tests' brokers are on. `SAMSA_TEST_ZOOKEEPER=apache` puts Apache ZooKeeper, as Debian packages it, in the
 * place of ours in every cluster: killed, frozen and started again as ours would be. What is about our server itself is skipped then.
 */
import { join } from 'node:path';
import { apacheZooKeeperInstalled, fourLetterWord, SKIPPED_WITHOUT_APACHE } from '../../../interop/zookeeper/apache-zookeeper.ts';

const wanted = process.env['SAMSA_TEST_ZOOKEEPER'] ?? 'embedded';
if (wanted !== 'embedded' && wanted !== 'apache')
  throw new Error(`SAMSA_TEST_ZOOKEEPER is '${wanted}': 'embedded' and 'apache' are allowed`);
if (wanted === 'apache' && !apacheZooKeeperInstalled) throw new Error(`SAMSA_TEST_ZOOKEEPER is 'apache', but ${SKIPPED_WITHOUT_APACHE}`);

export const onApacheZooKeeper = wanted === 'apache';

/** For `startCluster`. */
export const testEntries: { readonly zookeeper?: string } = onApacheZooKeeper
  ? { zookeeper: join(import.meta.dirname, '..', 'fixtures', 'apache-zookeeper-child.ts') }
  : {};

/** The title of tests about our own server, which are skipped on another. */
export const aboutOurs = (title: string): string =>
  onApacheZooKeeper ? `${title} (skipped: about our own ZooKeeper, SAMSA_TEST_ZOOKEEPER=apache)` : title;

/** How many sessions have expired since it was started: none, where those of the dead are closed at once. */
export async function expiredSessions(zookeeperConnect: string): Promise<number> {
  const counts = await fourLetterWord(Number(zookeeperConnect.split(':').at(-1)), 'mntr');
  const [, count] = /^zk_stale_sessions_expired\t(\d+)$/m.exec(counts) ?? [];
  if (count === undefined) throw new Error(`ZooKeeper counts no expired sessions: ${counts}`);
  return Number(count);
}
