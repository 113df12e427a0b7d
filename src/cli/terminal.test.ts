import { expect, it } from 'vitest';
import { zooKeeperLines } from './terminal.ts';

const server = {
  address: 'zk1:2181',
  reachable: true,
  mode: 'follower',
  version: '3.8.4',
  zxid: '1f',
  connections: 4,
  outstanding: 0,
  nodes: 1,
  tookMs: 3,
  problem: null,
};

it('tells of each server of an ensemble what it says, and of one that is silent why', () => {
  const dead = { ...server, address: 'zk2:2181', reachable: false, mode: null, problem: "can't be connected to: ECONNREFUSED" };
  expect(zooKeeperLines({ kind: 'external', connect: 'zk1:2181,zk2:2181', servers: [server, dead] })).toEqual([
    '           external zk1:2181: follower, version 3.8.4, 4 connections, 0 outstanding, 1 znode, zxid 0x1f',
    "           external zk2:2181: can't be connected to: ECONNREFUSED",
  ]);
});

it('leaves out what a server doesn’t tell, and says why nothing is known', () => {
  const terse = { ...server, version: null, zxid: null, connections: null, outstanding: null, nodes: null };
  expect(zooKeeperLines({ kind: 'embedded', connect: 'x', servers: [terse] })).toEqual(['           embedded: follower']);
  expect(zooKeeperLines({ problem: 'the supervisor did not answer' })).toEqual(['           state unknown: the supervisor did not answer']);
});
