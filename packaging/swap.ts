/**
 * package.json for as long as npm packs: npm takes it from the clone's folder only. The clone's own is
 * kept in dist meanwhile. Had packing broken off in between, the next one begins from the kept one.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Manifest, publishedManifest } from './manifest.ts';

const own = (root: string): string => path.join(root, 'package.json');
const kept = (root: string): string => path.join(root, 'dist/clone.json');

export function publishedInPlace(root: string): void {
  const manifest = JSON.parse(readFileSync(own(root), 'utf8')) as Manifest;
  const published = `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`;
  renameSync(own(root), kept(root));
  writeFileSync(own(root), published);
}

export function cloneInPlace(root: string): void {
  if (existsSync(kept(root))) renameSync(kept(root), own(root));
}
