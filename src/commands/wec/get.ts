import type { Command } from 'commander';
import { asCalled, command } from '../../lib/engine/command-line.ts';
import { StellarError } from '../../lib/engine/errors.ts';
import { inWords } from '../../lib/engine/next-step.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type ItsOptions, itsOption, wecContextOption, wecKubeconfigOption } from '../shell/options.ts';
import type { Session } from '../shell/session.ts';
import { parseWecArguments } from '../shell/wec-argument.ts';

interface Options extends ItsOptions {
  raw?: boolean;
  wecContext?: string;
}

export function getCommand(io: Io): Command {
  return defineCommand('get', {
    description:
      "Shows the stages of a WEC's registration with the evidence for each, its conditions, labels, properties, mailbox, requests and lease; with the WEC's context, also its Klusterlet, agents and versions. Says what is not visible. The last lines say what is wrong, and the command that fixes it.",
    timeout: '30s',
    examples: [
      ['stellarctl wec get cluster1', 'what the ITS knows about a WEC'],
      ['stellarctl wec get cluster1=kind-cluster1', 'and what the cluster itself shows'],
      ['stellarctl wec get cluster1 -o json', 'the same for scripts'],
      ['stellarctl wec get cluster1 --raw', 'its ManagedCluster, as YAML'],
    ],
  })
    .usage('NAME[=CONTEXT] [options]')
    .argument('<wec>', 'the WEC; with its context, the cluster itself is checked too')
    .option('--raw', 'print the ManagedCluster itself')
    .addOption(itsOption())
    .addOption(wecContextOption())
    .addOption(wecKubeconfigOption())
    .action(
      action<Options>(io, async (session, options, positional) => {
        const [wec, ...others] = parseWecArguments(positional, options.wecContext);
        if (wec === undefined || others.length > 0)
          throw new StellarError('usage', 'Give the NAME of one WEC.', {
            next: wec && [
              inWords(
                `For several: ${asCalled(command`stellarctl wec get ${wec.name}`)} one by one, or ${asCalled('stellarctl wec list -o wide')}`,
              ),
            ],
          });
        const { kube: hub, context } = await session.its();
        if (options.raw) return printRaw(session, hub, wec.name);
        const { getWec } = await import('../../lib/wecs/get/get.ts');
        const { hubEndpoints } = await import('../../lib/wecs/hub/hub-access.ts');
        const [own] = await session.wecs([wec]);
        const view = await getWec(hub, wec.name, own?.kube, () => hubEndpoints(hub, context));
        if (session.output !== 'table' && session.output !== 'wide') return session.print(view, [view], []);
        const { styleFor } = await import('../../lib/terminal/style.ts');
        const { describeWec } = await import('./get-text.ts');
        const style = styleFor(io.stdout, io, options.color);
        const lines = describeWec(view, hub.now(), style, session.output === 'wide');
        session.printLines(lines);
        if (view.diagnosis?.hint) session.next(view.diagnosis.hint);
      }),
    );
}

async function printRaw(session: Session, hub: Kube, name: string): Promise<void> {
  const { getManagedCluster } = await import('../../lib/wecs/get/get.ts');
  const cluster = await getManagedCluster(hub, name);
  if (session.output === 'json' || session.output === 'name') return session.print(cluster, [{ name }], []);
  return session.printDocument(cluster, { format: 'yaml' });
}
