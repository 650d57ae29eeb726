/** The version in package.json, as results carry it. */
export { packageVersion } from '../package/version.ts';
