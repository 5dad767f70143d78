/** What test/engine uses: apart from the rest of the bed, which needs no bundler. */
export { type Engine, startEngine, stopEngine } from './engine.ts';
export { engineFolder } from './folder.ts';
export { images } from './images.ts';
