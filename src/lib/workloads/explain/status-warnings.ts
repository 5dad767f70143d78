import { count } from '../../engine/counts.ts';
import { advice } from '../../engine/next-step.ts';
import type { Problem } from '../../engine/problem.ts';
import { resources } from '../../kube/resources.ts';
import { flagsOf } from '../../spaces/open-wds.ts';
import { selectObjects } from '../selection/objects.ts';
import { selectsLabels } from '../selection/wecs.ts';
import { toCreateCollector } from '../status/collector.ts';
import { hasRelevantStatus, hasStatus, isNeverCombined } from '../status/returnable.ts';
import { aboutObjects } from './selection-warnings.ts';
import type { PolicySubject } from './subject.ts';

/** Returns what prevents statuses from being returned. */
export async function statusProblems(subject: PolicySubject): Promise<Problem[]> {
  return [...notOneWec(subject), ...notCombined(subject), ...(await missingCollectors(subject))];
}

/** A singleton status is returned from exactly one WEC, counted over all policies that request it. */
function notOneWec({ objects, wecs, others, inventory, contents }: PolicySubject): Problem[] {
  const asking = objects.filter(({ modulation }) => modulation.wantSingletonReportedState);
  if (asking.length === 0 || inventory.state !== 'seen') return [];
  const wrong = asking.filter(({ object }) => {
    const names = new Set(wecs.map(({ metadata }) => metadata.name));
    for (const { spec } of others) {
      const [selected] = selectObjects(spec?.downsync ?? [], [object], contents.namespaces);
      if (!selected?.modulation.wantSingletonReportedState) continue;
      for (const { metadata } of inventory.value)
        if (selectsLabels(spec?.clusterSelectors ?? [], metadata.labels ?? {})) names.add(metadata.name);
    }
    return names.size !== 1;
  });
  return aboutObjects(wrong, {
    code: 'singleton-needs-one-wec',
    message: `The status of ${count(wrong.length, 'object')} is requested from a single WEC, but they are not sent to exactly one: no status is returned.`,
    next: [advice('Select one WEC, or ask for wantMultiWECReportedState or a StatusCollector instead')],
  });
}

function notCombined({ objects, wecs }: PolicySubject): Problem[] {
  const without = objects.filter(
    ({ object, modulation }) =>
      hasStatus(object) && hasRelevantStatus(object) && isNeverCombined(object, modulation, wecs.length),
  );
  if (without.length === 0) return [];
  const kinds = new Set(without.map(({ object }) => object.kind));
  return [
    {
      code: 'status-not-combined',
      message: `The statuses of several WECs are combined for Deployments, ReplicaSets and DaemonSets only: not for ${[...kinds].join(', ')}.`,
      next: [advice('Ask for a StatusCollector instead')],
      severity: 'warn',
    },
  ];
}

async function missingCollectors({ objects, wds }: PolicySubject): Promise<Problem[]> {
  const wanted = new Set(objects.flatMap(({ modulation }) => modulation.statusCollectors ?? []));
  if (wanted.size === 0) return [];
  const there = new Set(((await wds.kube.list(resources.statusCollectors)) ?? []).map(({ metadata }) => metadata.name));
  const missing = [...wanted].filter((name) => !there.has(name));
  if (missing.length === 0) return [];
  return [
    {
      code: 'status-collector-missing',
      message: `There is no StatusCollector ${missing.join(', ')} in ${wds.name}; the others still report.`,
      next: missing.map((name) => toCreateCollector(name, flagsOf(wds))),
    },
  ];
}
