/** The app on the fake backend. `?topics=10000&groups=2000&tick=0&failing=topics&environment=prod` choose what it shows. */
import { startApp } from '../app/app.ts';
import { fixedConnector } from '../app/rpc/connectors.ts';
import { fakeClient } from './fake/fake-backend.ts';

const query = new URLSearchParams(location.search);
const number = (name: string, otherwise: number): number => Number(query.get(name) ?? otherwise);
const environment = (['local', 'dev', 'test', 'prod'] as const).find((name) => name === query.get('environment'));

startApp(
  fixedConnector(
    fakeClient({
      topics: number('topics', 24),
      groups: number('groups', 8),
      tickMs: number('tick', 1000),
      environment,
      failing: query.get('failing') ?? undefined,
    }),
  ),
);
