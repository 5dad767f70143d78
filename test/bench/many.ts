import assert from 'node:assert/strict';
import { byKind, type Cost, ManyWecs } from '../e2e/support/many-wecs.ts';
import { atMost } from './goals.ts';

/** For 300 WECs on two idle cores, in seconds; for fewer, as much less, but for what every command takes. */
const goals: Record<string, number> = {
  'wec join --accept': 120,
  'wec wait': 15,
  label: 30,
  'deregister --cleanup': 150,
  'wec join': 90,
  accept: 60,
};
/** Whatever their number. Before a mailbox is deleted, each kind in it is listed. */
const most = { readsPerSecond: 20, readsAtOnce: 10, readsOfMailbox: 50, memory: 400 };
/** Agents, and the deletion of a namespace, take this for a single one, in seconds. */
const least = 20;

/** Every operation with many WECs at once, from join to deregister. */
export async function benchMany(count = Number(process.env.MANY ?? 300)): Promise<void> {
  const many = await ManyWecs.start(count);
  const { names } = many;
  const atIts = ['--its', 'its1', '--timeout', '20m'];
  const tell = (command: string, cost: Cost) => print(command, count, cost);
  const contexts = names.map((name) => `${name}=${name}`);
  try {
    console.log(`\n${count} WECs at once`);
    tell('wec join --accept', await many.measure('wec', 'join', ...names, '--accept', ...atIts));
    tell('wec wait', await many.measure('wec', 'wait', ...names, ...atIts));
    tell('label', await many.measure('label', ...names, 'env=edge', ...atIts));
    tell(
      'deregister --cleanup',
      await many.measure('deregister', ...contexts, '--cleanup', '--yes', ...atIts),
    );
    tell('wec join', await many.measure('wec', 'join', ...names, ...atIts));
    tell('accept', await many.measure('accept', ...names, ...atIts));
  } finally {
    await many.stop();
  }
}

function print(
  command: string,
  count: number,
  { run, seconds, processor, memory, writes, others, bytes, connections, wecs }: Cost,
) {
  const cells = [
    `exit ${run.exitCode}`,
    `${seconds.toFixed(1)}s`,
    `hub: ${writes.length} writes, ${others.length} other requests (${(others.length / seconds).toFixed(1)}/s)`,
    `${(bytes / 1e6).toFixed(2)} MB over ${connections} connections`,
    `WECs: ${wecs.requests} requests, at once ${wecs.atOnce} of ${wecs.stubsAtOnce}`,
    `${processor.toFixed(1)}s of processor, ${memory} MiB`,
  ];
  console.log(`  ${command.padEnd(24)} ${cells.join('   ')}`);
  console.log(`    ${byKind(others).slice(0, 12).join(', ')}`);
  console.log(`    writes: ${byKind(writes).slice(0, 12).join(', ')}`);
  const title = `${command} of ${count} WECs`;
  atMost(title, seconds, Math.max(least, ((goals[command] ?? 0) * count) / 300), 's');
  const ofMailboxes = command.startsWith('deregister') ? most.readsOfMailbox * count : 0;
  const reads = most.readsAtOnce + most.readsPerSecond * seconds + ofMailboxes;
  atMost(`${title}, reads of the hub`, others.length, reads, 'requests');
  atMost(`${title}, memory`, memory, most.memory, 'MiB');
  assert.equal(run.exitCode, 0, run.stderr.split('\n').slice(-12).join('\n'));
}
