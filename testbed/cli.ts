/** `npm run bed -- …`: a bed for interactive use. */
import { parseArgs } from 'node:util';
import { down, status, tell, up } from './cli/commands.ts';
import { faultOf, faultUsage } from './cli/fault-words.ts';

const usage = `Usage: npm run bed -- up [--wecs N]   start the ITS its1 and the WECs cluster1 to clusterN (2 by default)
       npm run bed -- up --full [--wecs N]   instead of a lone ITS, a hosting cluster with its1 and wds1 (3 WECs by default)
       npm run bed -- status          what runs, and where
       npm run bed -- down            end it, leaving nothing behind
       npm run bed -- bind [K=V…]     send a workload to all clusters with these labels, as KubeStellar would
       npm run bed -- unbind          stop doing so; what was sent stays
       npm run bed -- addon           put a status add-on on every accepted cluster
       npm run bed -- fault FAULT     let something go wrong
       npm run bed -- arrange CAUSE [WEC]   let a whole cause of the table happen to a WEC, cluster1 by default
       npm run bed -- mend            mend all of it, and undo what was arranged

Faults ${faultUsage}`;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`✗ ${(error as Error).message}`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const parsed = parse();
  const isFull = parsed?.values.full ?? false;
  const wecs = Number(parsed?.values.wecs ?? (isFull ? 3 : 2));
  const [command, ...rest] = parsed?.positionals ?? [];
  const isRight = rest.length === 0 && Number.isInteger(wecs) && wecs >= 0;
  if (isRight && command === 'up') return up({ wecs, isFull });
  if (isRight && command === 'down') return down();
  if (isRight && command === 'status') return status();
  const fault = command === 'fault' ? faultOf(rest) : undefined;
  if (fault) return tell({ do: 'fault', fault });
  const [id, wec, more] = rest;
  if (command === 'arrange' && id !== undefined && more === undefined) return tell({ do: 'arrange', id, wec });
  if (command === 'bind')
    return tell({
      do: 'bind',
      matchLabels: Object.fromEntries(rest.map((pair) => pair.split('=', 2) as [string, string])),
    });
  if (isRight && (command === 'mend' || command === 'unbind' || command === 'addon')) return tell({ do: command });
  console.error(usage);
  return 2;
}

function parse() {
  try {
    return parseArgs({
      options: { wecs: { type: 'string' }, full: { type: 'boolean' } },
      allowPositionals: true,
    });
  } catch {
    return undefined;
  }
}
