import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../kube/api.ts';
import { isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import { customTransforms } from '../kube/resources.ts';
import { type FieldPath, parsePath } from './json-path.ts';

const pauses = { first: 200, last: 1_000 };

interface CustomTransform extends KubeObject {
  spec: { apiGroup: string; resource: string; remove?: string[] };
  status?: { observedGeneration: number; errors?: string[]; warnings?: string[] };
}

/**
 * The CustomTransforms of a WDS: what must be removed from the objects of a kind before they are sent (kubestellar
 * pkg/transport/generic). One gets its status when a Binding has an object of its kind, not before.
 */
export class CustomTransforms {
  readonly synced: Promise<void>;
  readonly #wds: Api;
  readonly #all: Informer<CustomTransform>;

  /** Calls `onChange` with the kinds of a transform, as `group/plural`, when it is created, changed or deleted. */
  constructor(wds: Api, onChange: (kind: string) => void, signal: AbortSignal) {
    this.#wds = wds;
    const tell = (transform: CustomTransform, _change: string, before?: CustomTransform) => {
      if (before?.metadata.generation === transform.metadata.generation) return;
      if (before) onChange(kindOf(before));
      onChange(kindOf(transform));
    };
    this.#all = new Informer<CustomTransform>(wds, customTransforms, { onChange: tell, pauses }, signal);
    this.synced = this.#all.synced;
  }

  /** What must be removed from objects of a kind (`group/plural`). */
  async removals(kind: string): Promise<FieldPath[]> {
    const transforms = [...this.#all.items.values()].filter((transform) => kindOf(transform) === kind);
    const names = transforms.map(({ metadata }) => metadata.name).sort();
    const what = `multiple CustomTransform objects specify the same GroupResource; their names are map[${names.map((name) => `${name}:{}`).join(' ')}]`;
    const warnings = names.length > 1 ? [what] : [];
    const removals: FieldPath[] = [];
    for (const transform of transforms) {
      const { paths, errors } = pathsOf(transform);
      removals.push(...paths);
      await this.#report(transform, errors, warnings);
    }
    return removals;
  }

  async #report({ metadata, status }: CustomTransform, errors: string[], warnings: string[]): Promise<void> {
    const { name, generation: observedGeneration = 0 } = metadata;
    const some = (texts: string[]) => (texts.length > 0 ? texts : null);
    const wanted = { observedGeneration, errors: some(errors), warnings: some(warnings) };
    if (isDeepStrictEqual({ errors: null, warnings: null, ...status }, wanted)) return;
    await this.#wds.patch(customTransforms, name, { status: wanted }, { subresource: 'status' }).catch((error) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

function kindOf({ spec }: CustomTransform): string {
  return `${spec.apiGroup}/${spec.resource}`;
}

function pathsOf({ spec }: CustomTransform): { paths: FieldPath[]; errors: string[] } {
  const paths: FieldPath[] = [];
  const errors: string[] = [];
  for (const [index, text] of (spec.remove ?? []).entries()) {
    try {
      const path = parsePath(text);
      if (path.length > 0) paths.push(path);
      else errors.push(`Invalid spec.remove[${index}]: it identifies the whole object`);
    } catch (error) {
      errors.push(`Error in spec.remove[${index}]: ${(error as Error).message}`);
    }
  }
  return { paths, errors };
}
