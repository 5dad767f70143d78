/** The commands in README and the pages of docs/. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');

/** In an order that one installation can follow: the last page deletes it. */
export const walkedPages = [
  'README.md',
  ...[
    'installation',
    'spaces',
    'registration',
    'fleets',
    'customization',
    'workloads',
    'troubleshooting',
    'oncall',
  ],
  ...[
    'local-clusters',
    'concepts',
    'commands',
    'output',
    'ci',
    'security',
    'access',
    'migrating',
    'argocd',
    'monitoring',
    'development',
    'project-layout',
    'deregistration',
    'upstream',
    'compatibility',
  ],
].map((name) => (name.endsWith('.md') ? name : `docs/${name}.md`));

export const pages: readonly string[] = [...walkedPages, 'CONTRIBUTING.md', 'testbed/README.md'];

/** One command line of a block, as typed, with the output that the page shows. */
export interface Typed {
  /** The page and its line. */
  place: string;
  text: string;
  output: string[];
}

/** A fenced block of Markdown. */
export interface Block {
  place: string;
  /**
   * `shell`: every line is typed. `console`: lines after `$ ` are typed, and the others are output. Others, such as `yaml`, are not
   * typed.
   */
  language: string;
  /** Why no test runs it, from the comment before it: `<!-- not run: REASON -->`. */
  notRun?: string;
  lines: string[];
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  let before = '';
  for (const [index, line] of linesOf(page).entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (open === undefined && fence !== null) {
      const notRun = /^<!-- not run: (.+) -->$/.exec(before)?.[1];
      const place = `${page}:${index + 1}`;
      open = {
        place,
        language: fence[1] ?? '',
        lines: [],
        ...(notRun === undefined ? {} : { notRun }),
      };
      blocks.push(open);
    } else if (fence !== null) open = undefined;
    else open?.lines.push(line);
    before = line.trim();
  }
  return blocks;
}

/** The command lines of a block; lines continued by a backslash are joined. */
export function typedIn({ language, lines, place }: Block): Typed[] {
  if (language !== 'shell' && language !== 'console') return [];
  const typed: Typed[] = [];
  let isContinued = false;
  for (const line of lines) {
    const last = typed.at(-1);
    const start = language === 'console' ? /^\$ (.*)$/.exec(line)?.[1] : line;
    if (isContinued && last !== undefined) last.text = `${last.text.slice(0, -1)}${line.trim()}`;
    else if (start === undefined) last?.output.push(line);
    else if (start.trim() !== '') typed.push({ place, text: start, output: [] });
    isContinued = typed.at(-1)?.text.endsWith('\\') ?? false;
  }
  return typed.filter(({ text }) => !text.startsWith('#'));
}

/** The inline code of a page, outside its blocks. */
export function spansOf(page: string): Typed[] {
  let isInBlock = false;
  return linesOf(page).flatMap((line, index) => {
    if (/^\s*```/.test(line)) isInBlock = !isInBlock;
    if (isInBlock) return [];
    return [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => ({
      place: `${page}:${index + 1}`,
      text,
      output: [],
    }));
  });
}

/** The links of a page that stay within the repository. */
export function linksOf(page: string): { file: string; anchor: string | undefined }[] {
  return [
    ...linesOf(page)
      .join('\n')
      .matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g),
  ].map(([, file = '', anchor]) => ({
    file: file === '' ? page : path.join(path.dirname(page), file),
    anchor,
  }));
}

/** Valid link targets within a page: its headings, as GitHub writes them, and explicit anchors. */
export function anchorsOf(page: string): Set<string> {
  const text = linesOf(page).join('\n');
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([
    ...headings,
    ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id),
  ]);
}

const linesOf = (page: string) => readFileSync(path.join(root, page), 'utf8').split('\n');

/**
 * The simple commands of a line, each as its words: parsed like a POSIX shell with quotes, comments, variables before a command,
 * `&&`, `||`, `|`, `;`, `&` and redirections, whose files are left out.
 */
export function commandsOf(line: string): string[][] {
  const tokens =
    line
      .replace(/\d?>&\d/g, '')
      .match(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\&|;<>])+|&&|\|\||[&|;]|\d?>>?|</g) ?? [];
  const comment = tokens.findIndex((token) => token.startsWith('#'));
  const commands: string[][] = [[]];
  let isFile = false;
  for (const token of comment === -1 ? tokens : tokens.slice(0, comment)) {
    if (/^(?:&&|\|\||[&|;])$/.test(token)) commands.push([]);
    else if (/^(?:\d?>>?|<)$/.test(token)) isFile = true;
    else if (isFile) isFile = false;
    else if (!(commands.at(-1)?.length === 0 && /^[A-Z_]+=/.test(token)))
      commands.at(-1)?.push(unquoted(token));
  }
  return commands.filter((words) => words.length > 0);
}

const unquoted = (token: string) =>
  token.replace(
    /'([^']*)'|"([^"]*)"|\\(.)/g,
    (_all, single, double, escaped) => single ?? double ?? escaped,
  );
