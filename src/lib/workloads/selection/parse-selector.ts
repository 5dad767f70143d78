import { StellarError } from '../../engine/errors.ts';
import { advice } from '../../engine/next-step.ts';
import type { LabelSelector } from '../../kube/objects.ts';
import { isValid } from './label-selectors.ts';

/**
 * Parses a label selector in kubectl's syntax: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas. An empty
 * selector selects everything.
 * @throws StellarError `usage`
 */
export function parseLabelSelector(text: string): LabelSelector {
  const selector: Required<LabelSelector> = { matchLabels: {}, matchExpressions: [] };
  for (const term of text.split(/,(?![^(]*\))/).map((part) => part.trim())) {
    if (term === '' && text.trim() === '') break;
    addTerm(selector, term, text);
  }
  const { matchLabels, matchExpressions } = selector;
  const parsed = {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
  };
  if (!isValid(parsed)) throw notASelector(text);
  return parsed;
}

function addTerm({ matchLabels, matchExpressions }: Required<LabelSelector>, term: string, text: string): void {
  const [, setKey, operator, values = ''] = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term) ?? [];
  const [, not, keyOnly] = /^(!?)\s*([^\s=!]+)$/.exec(term) ?? [];
  const [, key, relation, value = ''] = /^([^\s=!]+)\s*(==?|!=)\s*([^\s=!]*)$/.exec(term) ?? [];
  if (setKey !== undefined)
    matchExpressions.push({
      key: setKey,
      operator: operator === 'in' ? 'In' : 'NotIn',
      values: values.split(',').map((each) => each.trim()),
    });
  else if (keyOnly !== undefined)
    matchExpressions.push({ key: keyOnly, operator: not === '!' ? 'DoesNotExist' : 'Exists' });
  else if (key === undefined) throw notASelector(text);
  else if (relation === '!=') matchExpressions.push({ key, operator: 'NotIn', values: [value] });
  else if (Object.hasOwn(matchLabels, key) && matchLabels[key] !== value) throw notASelector(text);
  else matchLabels[key] = value;
}

const notASelector = (text: string): StellarError =>
  new StellarError('usage', `"${text}" is not a label selector.`, {
    next: [advice('Give it as kubectl takes it: app=web,tier!=test, or env in (a,b)')],
  });
