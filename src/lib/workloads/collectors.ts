import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { run } from '../core/next-step.ts';
import { resources } from '../kube/client/resources.ts';
import { listServed } from '../kube/served.ts';
import type { BindingPolicy } from '../ocm/policies.ts';
import { flagsOf, type OpenWds } from '../spaces/open-wds.ts';
import type { CollectorSpec, StatusCollector } from './collector.ts';

/** A StatusCollector, and the policies that use it. The fields are an interface: docs/output.md. */
export interface CollectorView {
  name: string;
  /** Columns of the tables that it produces. */
  columns: string[];
  /** Names of policies. */
  usedBy: string[];
  /** Expressions that KubeStellar cannot evaluate. */
  errors: string[];
  spec: CollectorSpec;
}

/** Lists the StatusCollectors of a WDS, and those that policies name but that do not exist. */
export async function listCollectors({ kube }: OpenWds): Promise<{ items: CollectorView[]; missing: string[] }> {
  const [collectors = [], policies = []] = await Promise.all([
    kube.list<StatusCollector>(resources.statusCollectors),
    kube.list<BindingPolicy>(resources.bindingPolicies),
  ]);
  const users = usersOf(policies);
  const names = new Set(collectors.map(({ metadata }) => metadata.name));
  return {
    items: collectors.map((collector) => viewOf(collector, users)),
    missing: [...users.keys()].filter((name) => !names.has(name)).sort(),
  };
}

/** @throws StellarError `not-found` */
export async function getCollector(
  wds: OpenWds,
  name: string,
): Promise<{ collector: StatusCollector; view: CollectorView }> {
  const [collector, policies] = await Promise.all([
    wds.kube.get<StatusCollector>(resources.statusCollectors, name),
    listServed<BindingPolicy>(wds.kube, resources.bindingPolicies),
  ]);
  if (collector === undefined)
    throw new StellarError('not-found', `${wds.name} has no StatusCollector ${name}.`, {
      next: [run(command`stellarctl collector list ${flagsOf(wds)}`, 'See what exists')],
    });
  return { collector, view: viewOf(collector, usersOf(policies)) };
}

function viewOf(
  { metadata: { name }, spec = {}, status }: StatusCollector,
  users: ReturnType<typeof usersOf>,
): CollectorView {
  const { select = [], groupBy = [], combinedFields = [] } = spec;
  const columns = [...groupBy, ...select, ...combinedFields].map((column) => column.name);
  return { name, columns, usedBy: users.get(name) ?? [], errors: status?.errors ?? [], spec };
}

/** Returns the names of policies, by the collectors that they name. */
function usersOf(policies: readonly BindingPolicy[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const { metadata, spec } of policies)
    for (const collector of new Set((spec?.downsync ?? []).flatMap(({ statusCollectors = [] }) => statusCollectors)))
      users.set(collector, [...(users.get(collector) ?? []), metadata.name].sort());
  return users;
}
