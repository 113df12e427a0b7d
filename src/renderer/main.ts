/** The window's entry. */
import { startApp } from './app/app.ts';
import { windowConnector } from './app/rpc/connectors.ts';

startApp(windowConnector());
