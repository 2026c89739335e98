// pa11y (with axe and htmlcs) and Lighthouse over a site: `node audit.mjs ADDRESS PAGES`, where PAGES is JSON: [{name, path, lighthouse, hidden}, ...].
// Prints each error and each score; ends with 1 where there is an error, or a score under 95. `hidden` pages are not for search engines, and say so.
import lighthouse, { desktopConfig } from "lighthouse";
import pa11y from "pa11y";
import puppeteer from "puppeteer";

const [address, pages] = [process.argv[2], JSON.parse(process.argv[3])];
const LEAST = 95;
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const WINDOWS = { phone: { width: 360, height: 740, isMobile: true }, desktop: { width: 1440, height: 900 } };
let failed = false;

const browser = await puppeteer.launch({ executablePath: process.env.CHROME_PATH || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
try {
  for (const { name, path } of pages) {
    for (const [window, viewport] of Object.entries(WINDOWS)) {
      const { issues } = await pa11y(address + path, { browser, viewport, runners: ["axe", "htmlcs"], standard: "WCAG2AA", timeout: 60000 });
      for (const { runner, code, message, selector, context } of issues) {
        failed = true;
        console.log(`  ${name} on a ${window}: ${runner} ${code}: ${message} (${selector}: ${context?.slice(0, 120)})`);
      }
    }
  }
  console.log(`pa11y: ${pages.length} pages, on a phone and on a desktop`);
  const port = Number(new URL(browser.wsEndpoint()).port);
  for (const { name, path, hidden } of pages.filter((page) => page.lighthouse)) {
    for (const [window, config] of Object.entries({ phone: undefined, desktop: desktopConfig })) {
      const flags = { port, onlyCategories: CATEGORIES, logLevel: "error", skipAudits: hidden ? ["is-crawlable"] : [] };
      const { lhr } = await lighthouse(address + path, flags, config);
      const scores = CATEGORIES.map((category) => Math.round(lhr.categories[category].score * 100));
      console.log(`Lighthouse: ${name} on a ${window}: ${CATEGORIES.map((category, at) => `${category} ${scores[at]}`).join(", ")}`);
      if (scores.some((score) => score < LEAST)) failed = true;
      for (const category of CATEGORIES) {
        for (const { id, weight } of lhr.categories[category].auditRefs) {
          const { score, title, displayValue } = lhr.audits[id];
          if (weight && score !== null && score < 0.9) console.log(`  ${title} ${displayValue ?? ""}`);
        }
      }
    }
  }
} finally {
  await browser.close();
}
process.exit(failed ? 1 : 0);
