import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'rolldown/utils';

interface Module {
  imports: string[];
  /** Whether it belongs to the tests, and may run the program or read its sources. */
  runs: boolean;
}

/** What is in a test that does more with src than import it. */
const running = /['"`/](?:src|dist)['"`/]|'bin'|\.ts['"`]/;

/** Tells which test files can notice a change of a source: those that import it, and those that may run or read the program. */
export class Reach {
  readonly #root: string;
  readonly #modules = new Map<string, Module>();
  readonly #reached = new Map<string, Set<string>>();

  constructor(root: string) {
    this.#root = root;
  }

  has(test: string, source: string): boolean {
    return this.#from(test).has(source) || this.runsProgram(test);
  }

  /** Whether a test may run the program or read its sources. */
  runsProgram(test: string): boolean {
    return [...this.#from(test)].some((file) => this.#module(file).runs);
  }

  /** A test file with all that it imports, also later and indirectly. */
  #from(test: string): Set<string> {
    let files = this.#reached.get(test);
    if (files !== undefined) return files;
    files = new Set([test]);
    // What is added meanwhile is visited as well.
    for (const file of files)
      for (const imported of this.#module(file).imports) files.add(imported);
    this.#reached.set(test, files);
    return files;
  }

  #module(file: string): Module {
    const known = this.#modules.get(file);
    if (known !== undefined) return known;
    const read = this.#read(file);
    this.#modules.set(file, read);
    return read;
  }

  #read(file: string): Module {
    const text = readFileSync(path.join(this.#root, file), 'utf8');
    const { staticImports, staticExports, dynamicImports } = parseSync(file, text).module;
    const requests = [
      ...staticImports.map(({ moduleRequest }) => moduleRequest),
      ...staticExports.flatMap(({ entries }) =>
        entries.flatMap(({ moduleRequest }) => moduleRequest ?? []),
      ),
      ...dynamicImports.map(({ moduleRequest }) => moduleRequest),
    ];
    const quoted = requests.map(({ start, end }) => text.slice(start, end));
    const imports = quoted
      .filter((each) => /^'\..*\.ts'$/.test(each))
      .map((each) => path.join(path.dirname(file), each.slice(1, -1)));
    const own = quoted.reduce((rest, each) => rest.replaceAll(each, ''), text);
    return { imports, runs: !file.startsWith('src/') && running.test(own) };
  }
}
