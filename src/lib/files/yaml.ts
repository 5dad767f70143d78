/** The library is CommonJS, of which a bundled dynamic import sees no names: whoever wants it lazily imports this module. */
export { Document, visit } from 'yaml';
