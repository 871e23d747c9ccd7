// The score of each page that the search has found; Sphinx takes these constants and the function as they are here.
// An alert is found by any part of its name, and a metric in the reference before the pages that mention it.
var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
  score: ([page, title, , , score]) => {
    const query = (new URLSearchParams(location.search).get("q") || "").trim().toLowerCase();
    if (query && title.toLowerCase().includes(query)) {
      // The shorter the title, the more of it was asked for.
      return score + 100 - Math.min(title.length, 90);
    }
    return /^[a-z0-9]*(_[a-z0-9]*)+$/.test(query) && page === "reference/metrics" ? score + 50 : score;
  },
};
