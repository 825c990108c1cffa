declare module 'node-gyp-build' {
  /** Loads the addon of a package: its own build, or else the prebuilt one for this system. */
  export default function load(packageFolder: string): unknown
}
