import { command } from '../../engine/command-line.ts';
import { inWords, run } from '../../engine/next-step.ts';
import { failed, met, type Stage, unseen, type Verdict, waiting } from '../../engine/stages.ts';
import { returnedStatusLabels } from '../names.ts';
import type { Way } from './way.ts';

/** The last link, for an object whose status is asked for. */
export const statusStage: Stage<Way> = { id: 'status', title: 'status returned', check: returned };

export const wantsStatus = ({ of, modulation }: Way): boolean =>
  !withoutStatus.has(of.resource) &&
  (modulation.wantSingletonReportedState === true ||
    modulation.wantMultiWECReportedState === true ||
    (modulation.statusCollectors ?? []).length > 0);

/** Kinds that have none: no WorkStatus is made of them. */
const withoutStatus = new Set([
  ...['configmaps', 'secrets', 'serviceaccounts', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
  ...['limitranges', 'priorityclasses', 'storageclasses', 'ingressclasses', 'runtimeclasses'],
]);

function returned(way: Way): Verdict {
  const { of, workStatus, modulation, collectors, policy, wec, wecs, evidence, isCombined } = way;
  if (wec === undefined) return unseen('no WEC is selected');
  const { wantSingletonReportedState: singleton, wantMultiWECReportedState: multi } = modulation;
  if (singleton && !multi && wecs !== 1)
    return failed(`its status is requested from a single WEC, but it is sent to ${wecs}`, {
      code: 'singleton-needs-one-wec',
      next: [inWords('Select one WEC, or ask for wantMultiWECReportedState or a StatusCollector instead')],
    });
  const see = run(command`kubectl --context ${evidence.wds.context} get statuscollectors -o yaml`, 'See what exists');
  for (const [name, collector] of collectors) {
    if (collector === undefined)
      return failed(`there is no StatusCollector ${name}`, { code: 'status-collector-missing', next: [see] });
    const [error] = collector.status?.errors ?? [];
    if (error !== undefined)
      return failed(`StatusCollector ${name}: ${error.split('\n')[0]}`, {
        code: 'status-collector-broken',
        next: [see],
      });
  }
  const [error] = (policy?.status?.errors ?? []).filter((each) => !way.binding?.status?.errors?.includes(each));
  if (error !== undefined && singleton && wecs !== 1) return failed(error, { code: 'policy-error' });
  if (workStatus.state !== 'seen') return unseen(workStatus.why);
  if (workStatus.value === undefined || workStatus.value.status === undefined)
    return waiting(`${wec} has returned no status for it`, { code: 'status-missing' });
  if (collectors.size > 0 && !isCombined)
    return waiting('its statuses have not been combined', { code: 'status-not-combined' });
  const label = multi ? returnedStatusLabels.multi : returnedStatusLabels.singleton;
  const isInWds = of.object?.metadata.labels?.[label] === 'true';
  if ((singleton || multi) && !isInWds)
    return waiting(`its status is not in ${evidence.wds.name}`, { code: 'status-not-returned' });
  return met;
}
