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
    summary: 'show everything about a WEC, and what is wrong with it',
    description:
      "Shows how far the registration of a WEC has got and by what that is seen, its conditions, labels, properties, mailbox, requests and lease; with the WEC's context also its Klusterlet, agents and versions. What cannot be seen is said. The last lines tell what is wrong, and what to type.",
    timeout: '30s',
    examples: [
      ['stellarctl wec get cluster1', 'what the ITS shows of a WEC'],
      ['stellarctl wec get cluster1=kind-cluster1', 'and what the cluster itself shows'],
      ['stellarctl wec get cluster1 -o json', 'the same for scripts'],
      ['stellarctl wec get cluster1 --raw', 'its ManagedCluster, as YAML'],
    ],
  })
    .usage('NAME[=CONTEXT] [options]')
    .argument('<wec>', 'the WEC; with its context, the cluster itself is looked at too')
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
