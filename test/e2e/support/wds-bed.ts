import {
  type Bed,
  type Entry,
  installAddonByPlacement,
  type Plane,
  type RunningWds,
  runWds,
  startBed,
  until,
  type WdsOptions,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli } from './harness.ts';

/** An ITS its1, clusters, and a WDS wds1 whose controllers run; and a command line with a context of each. */
export interface WdsBed {
  bed: Bed;
  cli: Cli;
  its1: Plane;
  wds1: Plane;
  controllers: RunningWds;
  stop(): Promise<void>;
}

interface WdsBedOptions extends Pick<WdsOptions, 'type' | 'rate'> {
  /** Whether the ITS has the status add-on. */
  hasAddon?: boolean;
  /** What of the clusters is joined, with the label tier=web: all by default. */
  wecs?: readonly string[];
  /** More contexts of the command line. */
  contexts?: (its1: Plane) => Entry[];
}

/** @param names those of the clusters */
export async function startWds(
  names: readonly string[],
  { type = 'k8s', rate, hasAddon = false, wecs = names, contexts = () => [] }: WdsBedOptions = {},
): Promise<WdsBed> {
  const others = [...names, 'wds1'].map((name) => ({ name }));
  const bed = await startBed({ planes: [{ name: 'its1', hub: true }, ...others] });
  const [its1, wds1] = [bed.plane('its1'), bed.plane('wds1')];
  const entries = bed.planes.map(({ kubeconfigEntry }) => kubeconfigEntry);
  const cli = await Cli.create(await writeKubeconfig(its1, [...entries, ...contexts(its1)]));
  // The hub's webhooks may not answer yet.
  const installed = until(
    async () => !hasAddon || installAddonByPlacement(its1).catch(() => undefined),
    'status add-on',
  );
  const [addon, controllers] = await Promise.all([
    installed,
    runWds(wds1, its1, { type, ...(rate && { rate }) }),
  ]);
  if (wecs.length > 0)
    await cli.type(`wec join ${wecs.join(' ')} --its its1 --accept --label tier=web`);
  const stop = async () => {
    controllers.stop();
    if (addon !== true) addon.stop();
    await cli.remove();
    await bed.stop();
  };
  return { bed, cli, its1, wds1, controllers, stop };
}
