import { few } from '../../lib/core/counts.ts';
import type { DeletionEffect } from '../../lib/workloads/delete-policy.ts';

/** Formats what happens to the objects of a policy as human-readable lines. */
export function describeEffects(effects: readonly DeletionEffect[], keep: boolean | undefined): string[] {
  if (effects.length === 0) return ['It has sent nothing to any WEC.'];
  return effects.flatMap(({ wec, removed, staying, removedWithNamespace }) => {
    const spaces = removed.filter((object) => object.startsWith('Namespace '));
    if (keep) return [`${wec}   ${named([...removed, ...staying])} stay, without an owner.`];
    return [
      ...(removed.length === 0 ? [] : [`${wec}   ${named(removed)} will be removed.`]),
      ...spaces.map((space) => `${wec}   ${space} will be removed with everything in it, whoever created it.`),
      ...(removedWithNamespace.length === 0
        ? []
        : [
            `${wec}   ${named(removedWithNamespace)} will be removed with their Namespace, although another work has them, or their own work orphans them.`,
          ]),
      ...(staying.length === 0
        ? []
        : [`${wec}   ${named(staying)} stay: another work has them, or their own work orphans them.`]),
    ];
  });
}

const named = (objects: readonly string[]): string => few(objects.toSorted(), 10).join(', ');
