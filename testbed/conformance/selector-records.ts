import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AnyObject } from '../kube/objects.ts';
import type { BindingPolicy, Modulation } from '../kubestellar/bindings.ts';

interface SelectorCase {
  spec: NonNullable<BindingPolicy['spec']>;
  /** The API server's error about the policy; then there is nothing else. */
  refused?: string;
  clusters: string[];
  /** resource.group/namespace/name */
  objects: string[];
  modulations?: Record<string, Modulation>;
}

interface SelectorRecords {
  clusters: Record<string, Record<string, string>>;
  inventory: AnyObject[];
  cases: Record<string, SelectorCase>;
}

/** What policies selected, as recorded. */
export function selectorRecords(): SelectorRecords {
  return parse(readFileSync(join(import.meta.dirname, '../expected/workloads/selectors.yaml'), 'utf8'));
}
