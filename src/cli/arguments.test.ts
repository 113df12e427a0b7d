import { describe, expect, it } from 'vitest';
import { parseCommand } from './arguments.ts';
import { UsageError } from './usage-error.ts';

describe('the command line', () => {
  it('gives defaults to nobody: what is not said is left to the data folder', () => {
    expect(parseCommand(['up'])).toEqual({
      name: 'up',
      cluster: {
        home: undefined,
        ephemeral: false,
        brokers: undefined,
        basePort: undefined,
        zookeeper: undefined,
        logDirs: undefined,
        config: undefined,
      },
    });
  });

  it('takes where the files of a graduation go', () => {
    expect(parseCommand(['graduate', '--home', '/h', '--to', 'there'])).toEqual({ name: 'graduate', home: '/h', to: 'there' });
  });

  it('takes all that can be said about a cluster', () => {
    const args = [
      'serve',
      '--brokers',
      '5',
      '--ephemeral',
      '--port=0',
      '--zookeeper',
      'a:1,b:2/c',
      '--config',
      'x=1=2',
      '--config',
      'y=',
      '--log-dirs',
      '2',
      '--web-port',
      '8080',
      '--open',
    ];
    expect(parseCommand(args)).toEqual({
      name: 'serve',
      cluster: {
        home: undefined,
        ephemeral: true,
        brokers: 5,
        basePort: 0,
        logDirs: 2,
        zookeeper: { connect: 'a:1,b:2/c' },
        config: { x: '1=2', y: '' },
      },
      open: true,
      webPort: 8080,
    });
  });

  it.each([
    [[], 'help'],
    [['--help'], 'help'],
    [['up', '--help'], 'help'],
    [['--version'], 'version'],
  ])('answers %j', (args, name) => {
    expect(parseCommand(args).name).toBe(name);
  });

  it.each([
    [['start'], /'start' is no command: up, serve, status, down, graduate, dump-log are/],
    [['up', '--broker', '3'], /samsa up has no option --broker/],
    [['down', '--json'], /samsa down has no option --json/],
    [['up', '--brokers', 'three'], /--brokers three: a whole number from 1 to 32/],
    [['up', '--brokers', '0x3'], /--brokers 0x3/],
    [['up', '--port', '65536'], /from 0 to 65535/],
    [['up', '--config', 'x'], /KEY=VALUE/],
    [['up', '--home='], /--home needs a value/],
    [['up', '--home'], /home/],
    [['up', 'now'], /now/],
    [['up', '--ephemeral', '--home', 'x'], /exclude each other/],
    [['up', '--zookeeper', 'a:1', '--zookeeper-port', '1'], /exclude each other/],
  ])('refuses %j', (args, message) => {
    expect(() => parseCommand(args)).toThrow(UsageError);
    expect(() => parseCommand(args)).toThrow(message);
  });
});
