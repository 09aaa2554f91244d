# The work of study.yaml with the usual R packages, on the exports that `responsive simulate` wrote:
#   Rscript specs/bench/peer.R FOLDER REPLICATES        FOLDER holds the study's files and exports/*.csv
# Without replicates (0) the exports are read, and that is all.
# Prints a line for each part and `total SECONDS`; ends with status 3 where a package is missing.
# Debian: r-cran-survey r-cran-lavaan r-cran-lme4 r-cran-ordinal r-cran-psych r-cran-data.table
packages <- c("data.table", "survey", "lavaan", "lme4", "ordinal", "psych")
if (!all(vapply(packages, requireNamespace, TRUE, quietly = TRUE))) quit(status = 3)
suppressMessages(for (p in packages) library(p, character.only = TRUE))
argument <- commandArgs(TRUE)
folder <- argument[1]
replicates <- as.integer(argument[2])

spent <- numeric()
timed <- function(part, work) {
  seconds <- system.time(value <- work)[["elapsed"]]
  spent[[part]] <<- seconds
  cat(sprintf("%-32s %9.3f s\n", part, seconds))
  invisible(value)
}

scores <- c(sprintf("F%02d", 1:12), "engage", "listen", "change")
parts <- c(lapply(1:12, function(k) sprintf("f%02d_%d", k, 1:3)),
           lapply(c("eng", "lis", "chg"), function(s) paste0(s, 1:6)))
items <- unlist(parts)

# What is compared with the station `intake` alone: fread leaves every answer a text.
read_texts <- function(path)
  fread(path, sep = ";", colClasses = "character", na.strings = c("", "N/A"), encoding = "UTF-8")
# Countries export either codes or full answers: Likert points stand as "4" or as "Point 4".
code_answers <- function(one) {
  one[, (items) := lapply(.SD, function(x) as.integer(sub("Point ", "", x, fixed = TRUE))), .SDcols = items]
  one[, c("changed", "nchanges", "exper") := lapply(.SD, as.integer), .SDcols = c("changed", "nchanges", "exper")]
  one
}
texts <- timed("fread", lapply(list.files(file.path(folder, "exports"), full.names = TRUE), read_texts))
if (replicates == 0) quit(status = 0)
answers <- timed("codes", rbindlist(lapply(texts, code_answers)))
answers <- timed("scores, cleaning", {
  for (k in seq_along(scores)) answers[, (scores[k]) := rowMeans(.SD, na.rm = TRUE), .SDcols = parts[[k]]]
  answers[, woman := fifelse(!is.na(gender) & gender == "f", "yes", "no")]
  for (v in c("country", "sector", "role", "orgtype", "agegrp"))
    set(answers, j = v, value = factor(answers[[v]], exclude = ""))
  answers[complete.cases(answers[, scores, with = FALSE])]
})
people <- as.data.frame(answers)

# Raking within countries is raking to country x margin cells, each country's total its own.
margins <- c("woman", "agegrp", "sector")
country_n <- table(people$country)
population <- lapply(margins, function(m) {
  target <- read.csv(file.path(folder, paste0("targets_", m, ".csv")),
                     colClasses = c("character", "character", "numeric", "character"))
  cell <- paste(target$country, target[[m]], sep = ":")
  setNames(data.frame(cell, target$share * as.numeric(country_n[target$country])), c(paste0("cell_", m), "Freq"))
})
for (m in margins) people[[paste0("cell_", m)]] <- factor(paste(people$country, people[[m]], sep = ":"))
cells <- lapply(margins, function(m) reformulate(paste0("cell_", m)))
steps <- list(maxit = 100, epsilon = 1e-7)
plain <- svydesign(ids = ~org, strata = ~country, weights = rep(1, nrow(people)), data = people, nest = TRUE)
raked <- timed("raking", rake(plain, cells, population, control = steps))
boot <- timed(paste(replicates, "bootstrap replicates"),
              as.svrepdesign(plain, type = "subbootstrap", replicates = replicates))
boot <- timed("raking each replicate", rake(boot, cells, population, control = steps))

by_country <- function(design, item) svyby(reformulate(item), ~country, design, svymean, na.rm = TRUE)
shares <- sprintf("factor(%s)", items)
timed("shares, replicates", for (i in shares) by_country(boot, i))
timed("means, replicates", for (i in items) by_country(boot, i))
timed("shares, linearised", for (i in shares) by_country(raked, i))
timed("reliability", for (k in seq_along(scores)) suppressMessages(psych::alpha(people[parts[[k]]])))
factor_of <- function(s) paste(s, "=~", paste0(s, 1:6, collapse = " + "))
model <- paste(sapply(c("eng", "lis", "chg"), factor_of), collapse = "\n")
for (rung in list("", "loadings", c("loadings", "intercepts")))
  timed(paste("factor model, equal:", paste(rung, collapse = " ")),
        cfa(model, people, group = "country", group.equal = rung, estimator = "MLR"))
right <- paste(c(scores[1:12], "country", "sector", "role", "orgtype"), collapse = " + ")
timed("linear, replicates", svyglm(as.formula(paste("change ~", right)), boot))
timed("linear, linearised", svyglm(as.formula(paste("change ~", right)), raked))
timed("logistic, linearised", svyglm(as.formula(paste("changed ~", right)), raked, family = quasibinomial()))
timed("ordinal", clm(as.formula(paste("ordered(chg1) ~", right)), data = people))
fixed <- paste(c(scores[1:12], "sector", "role", "orgtype"), collapse = " + ")
timed("mixed", lmer(as.formula(paste("change ~", fixed, "+ (1 + F01 | country) + (1 | org)")), people))
cat(sprintf("total %.2f\n", sum(spent)))
