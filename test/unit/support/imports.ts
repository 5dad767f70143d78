import path from 'node:path';

/** The files of src that a source imports, types included. */
export function importsOf(file: string, text: string): string[] {
  const modules = [...text.matchAll(/(?:\bfrom|\bimport\()\s*'(\.[^']+)'/g)].map(
    ([, module]) => module as string,
  );
  return modules.map((module) => path.join(path.dirname(file), module));
}

/** What reaches itself. */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const reaches = (from: string, seen = new Set<string>()): Set<string> => {
    for (const next of imports.get(from) ?? []) if (!seen.has(next)) reaches(next, seen.add(next));
    return seen;
  };
  return [...imports.keys()].filter((file) => reaches(file).has(file));
}

/** The modules that a source loads. `import { type T } from 'm'` loads m, and import() in a type loads nothing. */
export function loadedModules(text: string): string[] {
  const declarations = text.matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm,
  );
  const calls = text.matchAll(/\bawait import\(\s*'([^']+)',?\s*\)/g);
  return [...declarations, ...calls].map((match) => match[1] as string);
}
