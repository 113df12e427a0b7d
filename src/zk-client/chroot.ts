/** Makes the path that a connect string ends with, as Kafka's client does: who gives `host:2181/kafka` need not create it first. */
import { connectZooKeeper, type ConnectZooKeeperOptions } from './connect.ts';
import { parseConnectString } from './connect-string.ts';
import { ZooKeeperError } from './types.ts';

/** Does nothing without a chroot. Rejects as `connectZooKeeper`, and with what ZooKeeper says against a node (NoAuth). */
export async function createChroot(options: Omit<ConnectZooKeeperOptions, 'implementation' | 'resume'>): Promise<void> {
  const { chroot } = parseConnectString(options.connectString);
  if (chroot === '') return;
  const client = await connectZooKeeper({
    ...options,
    connectString: options.connectString.slice(0, options.connectString.indexOf('/')),
    implementation: 'own',
  });
  try {
    const names = chroot.split('/').slice(1);
    for (let depth = 1; depth <= names.length; depth++) {
      const path = `/${names.slice(0, depth).join('/')}`;
      if ((await client.exists(path)) !== undefined) continue;
      try {
        await client.create(path, null, 'persistent');
      } catch (error) {
        if (!(error instanceof ZooKeeperError && error.name === 'NodeExists')) throw error;
      }
    }
  } finally {
    await client.close();
  }
}
