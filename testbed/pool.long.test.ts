/** Servers that are lent again are those of a new cluster. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from './index.ts';
import { Api } from './kube/api.ts';
import type { Entry } from './kube/kubeconfig.ts';
import { namespaces } from './kube/resources.ts';
import { isAlive, isFrozen } from './plane/processes.ts';
import { poolVariable } from './pool/borrow.ts';
import { Pool } from './pool/pool.ts';

/** What pool/borrower.ts tells. */
interface Told {
  uid: string;
  found: string[];
  crds: number;
  pids: Record<string, number>;
  entry: Entry;
}

const outer = process.env[poolVariable];
const servers = ({ pids }: Told) => [pids.etcd ?? 0, pids['kube-apiserver'] ?? 0];

let pool: Pool;

before(async () => {
  pool = await Pool.start(console.error);
});

after(async () => {
  await pool?.stop();
  if (outer !== undefined) process.env[poolVariable] = outer;
});

async function borrow(): Promise<[ChildProcess, Told]> {
  const borrower = fork(join(import.meta.dirname, 'pool', 'borrower.ts'), [], { execArgv: [] });
  const [told] = (await once(borrower, 'message')) as [Told];
  return [borrower, told];
}

async function end(borrower: ChildProcess, how: 'stop' | 'kill' | 'break'): Promise<void> {
  borrower.send(how);
  await once(borrower, 'exit');
}

describe('servers of the pool', () => {
  it('are frozen when their borrower has ended, and lent again as a new cluster, whatever was left in them', async () => {
    const [borrower, first] = await borrow();
    await end(borrower, 'stop');
    await until(async () => servers(first).every((pid) => isAlive(pid) && isFrozen(pid)), 'frozen servers');
    const [next, again] = await borrow();
    assert.deepEqual(servers(again), servers(first));
    assert.notEqual(again.uid, first.uid);
    assert.equal(again.crds, 0);
    assert.deepEqual(again.found.sort(), ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
    assert.notEqual(again.entry.connection.caPem, first.entry.connection.caPem);
    const { connection } = first.entry;
    const former = new Api({ ...connection, caPem: `${connection.caPem}${again.entry.connection.caPem}` });
    await assert.rejects(former.list(namespaces), { status: 401 });
    former.close();
    await end(next, 'stop');
  });

  for (const how of ['kill', 'break'] as const)
    it(`end when their borrower ${how === 'kill' ? 'ends without returning them' : 'has broken them'}`, async () => {
      const [borrower, told] = await borrow();
      await end(borrower, how);
      await until(async () => !servers(told).some(isAlive), 'end of the servers');
      const [next, other] = await borrow();
      assert.notDeepEqual(servers(other), servers(told));
      await end(next, 'stop');
    });
});
