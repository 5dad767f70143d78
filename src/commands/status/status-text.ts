import type { Fact, TreeNode } from '../../lib/doctor/status-tree.ts';
import type { Style } from '../terminal/style.ts';

interface Row {
  /** The branches and the title. */
  head: string;
  facts: Fact[];
}

/** Formats trees as human-readable lines. The facts of all nodes are aligned in one column. */
export function describeTree(nodes: readonly TreeNode[], style: Style): string[] {
  const rows = nodes.flatMap((node) => rowsOf(node, '', ''));
  const width = Math.max(0, ...rows.map(({ head }) => head.length));
  return rows.map(({ head, facts }) => {
    const text = facts.map((fact) => factText(fact, style)).join(' · ');
    return `${head.padEnd(width)}  ${text}`.trimEnd();
  });
}

/** @param branch prefix of the node itself @param trunk prefix of the nodes below it */
function rowsOf({ title, facts, children }: TreeNode, branch: string, trunk: string): Row[] {
  const below = children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    return rowsOf(child, `${trunk}${isLast ? '└─ ' : '├─ '}`, `${trunk}${isLast ? '   ' : '│  '}`);
  });
  return [{ head: `${branch}${title}`, facts }, ...below];
}

function factText({ text, mark }: Fact, { bad, dot }: Style): string {
  if (mark === undefined) return text;
  return `${{ bad, busy: dot, unseen: '?' }[mark]} ${text}`;
}
