import { byKind, type Cost, ManyWecs } from '../e2e/support/many-wecs.ts';

/** Every operation with many WECs at once, from join to deregister: MANY is their number. */
export async function benchMany(): Promise<void> {
  const count = Number(process.env.MANY ?? 300);
  const many = await ManyWecs.start(count);
  const { names } = many;
  const atIts = ['--its', 'its1', '--timeout', '20m'];
  const contexts = names.map((name) => `${name}=${name}`);
  try {
    console.log(`\n${count} WECs at once`);
    tell('wec join --accept', await many.measure('wec', 'join', ...names, '--accept', ...atIts));
    tell('wec wait', await many.measure('wec', 'wait', ...names, ...atIts));
    tell('label', await many.measure('label', ...names, 'env=edge', ...atIts));
    tell('deregister --cleanup', await many.measure('deregister', ...contexts, '--cleanup', '--yes', ...atIts));
    tell('wec join', await many.measure('wec', 'join', ...names, ...atIts));
    tell('accept', await many.measure('accept', ...names, ...atIts));
  } finally {
    await many.stop();
  }
}

function tell(
  command: string,
  { run, seconds, processor, memory, writes, others, bytes, connections, wecs }: Cost,
): void {
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
  if (run.exitCode !== 0) console.log(run.stderr.split('\n').slice(-12).join('\n'));
}
