import { StellarError } from '../../lib/core/errors.ts';
import { ifSeen, tryRead } from '../../lib/kube/access.ts';
import type { Definition } from '../common/define.ts';
import { itsOption, wecKubeconfigOption } from '../common/options.ts';
import { parseWecArguments } from '../common/wec-argument.ts';

type Options = { raw?: boolean };

export const definition: Definition<Options> = {
  description:
    "Shows the stages of a WEC's registration with the evidence for each, its conditions, labels, properties, mailbox, requests and lease; with the WEC's context, also its Klusterlet, agents and versions: a context with the name of the WEC, or one such as kind-NAME, is used if it is proven to lead to it. Says what is not visible. The last lines say what is wrong, and the command that fixes it.",
  examples: [
    ['stellarctl wec get cluster1', 'what the ITS knows about a WEC'],
    ['stellarctl wec get cluster1=kind-cluster1', 'and what the cluster itself shows'],
    ['stellarctl wec get cluster1 --raw', 'its ManagedCluster, as YAML'],
  ],
  usage: 'NAME[=CONTEXT] [options]',
  arguments: [['<wec>', 'the WEC; with its context, the cluster itself is checked too']],
  options: [['--raw', 'print the ManagedCluster itself'], itsOption(), wecKubeconfigOption()],
  async run(session, options, positional) {
    const [wec, ...others] = parseWecArguments(positional);
    if (wec === undefined || others.length > 0)
      throw new StellarError('usage', 'Give the NAME of one WEC.');
    const its = await session.its();
    const { kube: hub } = its;
    if (options.raw) {
      const { getManagedCluster } = await import('../../lib/ocm/hub/find-wecs.ts');
      const cluster = await getManagedCluster(hub, wec.name);
      return session.output === 'name'
        ? session.print(cluster, [wec])
        : session.printDocument(cluster);
    }
    const { getWec } = await import('../../lib/wecs/get.ts');
    const { hubEndpoints } = await import('../../lib/ocm/hub/hub-access.ts');
    const { provenWec } = await import('../../lib/ocm/hub/find-wecs.ts');
    const [given] = await session.wecs([wec]);
    const named = async () =>
      given?.kube ?? provenWec(wec.name, hub, await session.contextsNamed(wec.name));
    const view = await getWec(hub, wec.name, ifSeen(await tryRead(named)), () => hubEndpoints(its));
    const { describeWec } = await import('./get-text.ts');
    await session.show(view, (style, isWide) => describeWec(view, hub.now(), style, isWide));
    if (session.isForPeople && view.diagnosis) session.next(...view.diagnosis.steps);
  },
};
