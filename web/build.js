/**
 * Build the pages into dist/<page>/, with names that do not change and SHA256SUMS, so that the same sources give the same
 * bytes and the opening entry can name them.
 */

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

/** Page -> its folder on the host; the vote page's later parts stand beside it. */
const PAGES = { identity: "", voting: "voting-passkey" };
const here = import.meta.dirname;
const dist = join(here, "dist");

rmSync(dist, { recursive: true, force: true });
for (const [page, folder] of Object.entries(PAGES)) {
  await build({
    configFile: false,
    root: join(here, page),
    base: "/",
    logLevel: "warn",
    publicDir: false,
    build: {
      outDir: join(dist, page),
      emptyOutDir: true,
      target: "es2020",
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: 0,
      rolldownOptions: {
        output: {
          entryFileNames: `assets/${page}.js`,
          chunkFileNames: `assets/${page}-[name].js`,
          assetFileNames: `assets/${page}[extname]`,
        },
      },
    },
  });
  pinScripts(join(dist, page), folder);
}
list(dist);

/** Pin what a page loads by its hash in the page itself: one hash of the page then stands for all of it. */
function pinScripts(out, folder) {
  const page = join(out, "index.html");
  const html = readFileSync(page, "utf8").replace(/ (src|href)="\/(assets\/[^"]+)"/g, (whole, _, name) => {
    const hash = createHash("sha384").update(readFileSync(join(out, name))).digest("base64");
    return `${whole} integrity="sha384-${hash}"`;
  });
  writeFileSync(page, html);
  if (folder) {
    mkdirSync(join(out, folder));
    renameSync(page, join(out, folder, "index.html"));
  }
}

function list(root) {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const lines = files.map((file) => {
    const data = readFileSync(file);
    const name = relative(root, file);
    console.log(`${name.padEnd(32)} ${String(data.length).padStart(8)} B  ${String(gzipSync(data, { level: 9 }).length).padStart(7)} B gzip`);
    return `${createHash("sha256").update(data).digest("hex")}  ${name}\n`;
  });
  writeFileSync(join(root, "SHA256SUMS"), lines.join(""));
}
