/** `npm run bed -- up [--wecs N] | down | status`: a bed for a person to play with. */
import { parseArgs } from 'node:util';
import { down, status, up } from './cli/commands.ts';

const usage = `Usage: npm run bed -- up [--wecs N]   start the ITS its1 and the WECs cluster1 to clusterN (2 by default)
       npm run bed -- status          what runs, and where
       npm run bed -- down            end it, leaving nothing behind`;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`✗ ${(error as Error).message}`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const parsed = parse();
  const wecs = Number(parsed?.values.wecs ?? 2);
  const [command, ...rest] = parsed?.positionals ?? [];
  const isRight = rest.length === 0 && Number.isInteger(wecs) && wecs >= 0;
  if (isRight && command === 'up') return up(wecs);
  if (isRight && command === 'down') return down();
  if (isRight && command === 'status') return status();
  console.error(usage);
  return 2;
}

function parse() {
  try {
    return parseArgs({ options: { wecs: { type: 'string' } }, allowPositionals: true });
  } catch {
    return undefined;
  }
}
