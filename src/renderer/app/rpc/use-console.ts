/** The connection, provided to the app once; components and stores take it from here. */
import { inject } from 'vue';
import type { InjectionKey } from 'vue';
import type { ConsoleClient } from '../../../console/contract/contract.ts';
import type { ConsoleConnectionHandle } from './connection.ts';

export const connectionKey: InjectionKey<ConsoleConnectionHandle> = Symbol('console connection');

export function useConnection(): ConsoleConnectionHandle {
  const connection = inject(connectionKey);
  if (connection === undefined) throw new Error('The console connection is not provided');
  return connection;
}

export function useClient(): ConsoleClient {
  return useConnection().client;
}
