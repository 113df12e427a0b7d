/** The window's entry. zod is told first that it may not make functions from text: the policy forbids eval. */
import './app/zod-jitless.ts';
import { startApp } from './app/app.ts';
import { windowConnector } from './app/rpc/connectors.ts';

startApp(windowConnector());
