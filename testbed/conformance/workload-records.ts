import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AnyObject, Condition, OwnerReference } from '../kube/objects.ts';

/** Objects under the names that the records have for groups of them: policies, `works cluster1` … */
export type Sections = Record<string, AnyObject[]>;

/** What was applied to a WDS, and the later state, normalized. */
export interface WorkloadRecord {
  applied: AnyObject[];
  shown: Record<string, unknown[]>;
}

export function workloadRecord(name: string): WorkloadRecord {
  return parse(readFileSync(join(import.meta.dirname, `../expected/workloads/${name}.yaml`), 'utf8'));
}

const dropped = new Set(['creationTimestamp', 'resourceVersion', 'uid', 'generation', 'managedFields']);
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const generationAnnotation = 'transport.kubestellar.io/originOwnerReferenceBindingGeneration';

/** What is known from elsewhere: what was applied, and the contents of a work. */
const knownSpecs = new Set(['BindingPolicy', 'StatusCollector', 'CustomTransform', 'Deployment', 'ConfigMap']);

/**
 * Objects in the form for comparison: without times, versions and generations, with kinds instead of UIDs, owners and conditions as
 * words, unordered lists sorted. The condition that all StatusCollectors exist is left out: it depends on which of two controllers
 * wrote last.
 */
export function tidied(sections: Sections): Record<string, unknown[]> {
  const uids = kindsOfUids(Object.values(sections).flat());
  const withKinds = (text: string) =>
    text
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (uid) => `{${uids.get(uid) ?? 'uid'}}`)
      .replace(/[0-9a-f]{64}/g, '{hub}');
  const all = Object.entries(sections).map(([name, objects]) => [
    name,
    objects.map((object) => JSON.parse(withKinds(JSON.stringify(tidyObject(object))))).sort(byText),
  ]);
  return Object.fromEntries(all.filter(([, objects]) => objects?.length));
}

function kindsOfUids(objects: readonly AnyObject[]): Map<string, string> {
  const known = new Map<string, string>();
  for (const { kind = '', metadata } of objects) {
    for (const { uid, kind: owner } of metadata.ownerReferences ?? []) known.set(uid, owner);
    known.set(metadata.uid ?? '', kind);
  }
  return known;
}

function tidyObject({ apiVersion: _, ...object }: AnyObject): unknown {
  const { kind = '', status } = object as AnyObject & { status?: Record<string, unknown> };
  const kept = Object.entries(object)
    .filter(([field]) => field !== 'spec' || !knownSpecs.has(kind))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const tidy = Object.fromEntries(kept.map(([field, value]) => [field, tidyValue(field, value)]));
  if (kind === 'Binding' && status) delete (tidy.status as Record<string, unknown>).observedGeneration;
  return tidy;
}

function tidyValue(field: string, value: unknown): unknown {
  if (field === 'ownerReferences') return (value as OwnerReference[]).map(ownerInWords).sort();
  if (field === 'conditions') return (value as Condition[]).flatMap(conditionInWords).sort();
  if (field === generationAnnotation) return 'generation';
  if (Array.isArray(value)) {
    const items = value.map((item) => tidyValue('', item));
    return field === 'rows' ? items.sort(byText) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name]) => !dropped.has(name) && name !== lastApplied)
    .map(([name, item]) => [name, tidyValue(name, item)] as const)
    .filter(([name, item]) => !(['annotations', 'conditions', 'errors'].includes(name) && isEmpty(item)))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries);
}

function ownerInWords({ kind, name, uid, controller, blockOwnerDeletion }: OwnerReference): string {
  const flags = [controller && 'controller', blockOwnerDeletion && 'blocking'].filter(Boolean);
  return [kind, name, uid, ...flags].join(' ');
}

function conditionInWords({ type, status, reason, message }: Condition): string[] {
  if (type === 'StatusCollectorsAvailable' && status === 'True') return [];
  return [`${type} ${status} ${reason}: ${message}`];
}

function isEmpty(value: unknown): boolean {
  return Object.keys(value as object).length === 0;
}

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}
