//! Flags become findings: an episode is raised once, ends when its days are calm, and is retracted when a correction takes its flags away.

use clinical::age::{Day, parse_day};
use event::Event;
use fhir::Instant;
use rules::{Finding, Seen, What};
use rusqlite::{Connection, OptionalExtension, params};

use super::detect::{Options, points};
use super::series::{Series, day_text, load};
use super::{
    Detector, Disparity, Key, MeasureConfig, Point, Resolution, SurveillanceConfig, disparities, record,
};

const DAY_MICROS: i64 = 86_400_000_000;
/// Days without a count after which this is said, and after which nobody expects any.
const SILENT_DAYS: i32 = 3;
const EXPECTED_DAYS: i32 = 28;
/// Version of these rules.
const VERSION: &str = "1";

/// Writes an event down and evaluates the series that it changed.
///
/// # Errors
/// The database fails.
pub fn on_event(
    conn: &Connection,
    tenant: &str,
    config: &SurveillanceConfig,
    event: &Event,
    now: Instant,
) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for key in record(conn, tenant, config, event)? {
        findings.extend(evaluate(conn, tenant, config, &key, Some(event), now)?);
    }
    Ok(findings)
}

/// Evaluates a series: after `event` changed it, or because time has passed.
///
/// # Errors
/// The database fails.
pub fn evaluate(
    conn: &Connection,
    tenant: &str,
    config: &SurveillanceConfig,
    key: &Key,
    event: Option<&Event>,
    now: Instant,
) -> rusqlite::Result<Vec<Finding>> {
    let at = event.map_or(now, |event| event.at);
    let ground = Ground { conn, tenant, key, config: config.of(&key.measure), event, at, now };
    let daily = load(conn, tenant, key, Resolution::Day)?;
    let weekly = load(conn, tenant, key, Resolution::Week)?;
    let mut findings = Vec::new();
    let mut is_watched = false;
    for detector in &ground.config.detectors {
        let (series, resolution) = match detector {
            Detector::Simple if daily.counts.is_empty() => (&weekly, Resolution::Week),
            _ if detector.takes(Resolution::Day) => (&daily, Resolution::Day),
            _ => (&weekly, Resolution::Week),
        };
        is_watched |= ground.outbreak(*detector, series, resolution, &mut findings)?;
    }
    let is_counted = !daily.counts.is_empty() || !weekly.counts.is_empty();
    match ground.silence(&daily) {
        Some(silence) => findings.push(ground.not_watched(&silence)),
        None if is_watched && key.stratum.is_empty() => findings.push(ground.watched()),
        None if is_watched => {}
        None if is_counted => findings.push(ground.not_watched("no detector has a baseline yet")),
        None => {}
    }
    if !key.stratum.is_empty() {
        ground.groups(&mut findings)?;
    }
    Ok(findings)
}

/// An episode that was raised and has not ended.
struct Episode {
    opening: String,
    first_day: i32,
    last_day: i32,
}

struct Ground<'a> {
    conn: &'a Connection,
    tenant: &'a str,
    key: &'a Key,
    config: &'a MeasureConfig,
    event: Option<&'a Event>,
    at: Instant,
    now: Instant,
}

impl Ground<'_> {
    /// What one detector says now; whether it could look at the newest day.
    fn outbreak(
        &self,
        detector: Detector,
        series: &Series,
        resolution: Resolution,
        findings: &mut Vec<Finding>,
    ) -> rusqlite::Result<bool> {
        let step = resolution.days();
        let rule = detector.rule();
        let open = self.open(&rule)?;
        let (known, _) = series.known(resolution);
        let Some(newest) = known.last().copied() else { return Ok(false) };
        let calm = i32::try_from(self.config.clear_after).unwrap_or(i32::MAX / 7).saturating_mul(step);
        let about = self.about();
        let from = open
            .as_ref()
            .map_or(newest, |open| open.first_day)
            .min(newest - calm)
            .min(about.unwrap_or(newest));
        let points = points(detector, series, resolution, &Options::of(self.config), from);
        let is_tested =
            points.iter().rev().find(|point| point.day == newest).is_some_and(|point| point.is_tested);
        let flags: Vec<&Point> =
            points.iter().filter(|point| point.is_flagged && point.day >= from).collect();
        // A late count may flag a day that calm days have followed: it is told, and ends with the next look.
        let is_now = |point: &&&Point| newest - point.day < calm || Some(point.day) == about;
        let last = flags.last().filter(is_now);
        match (open, last) {
            (None, Some(last)) if self.is_of_today(last.day, step) => {
                let first_day = first_of(&flags, calm);
                let opening = self.event.map_or_else(
                    || format!("{}/{}", self.key.subject(), day_text(last.day)),
                    |event| event.id.clone(),
                );
                let episode = Episode { opening, first_day, last_day: last.day };
                self.keep(&rule, &episode)?;
                findings.push(self.raised(detector, &episode, last, resolution));
            }
            (Some(open), Some(last)) => {
                let is_news = last.day != open.last_day || about == Some(last.day);
                let episode = Episode { last_day: last.day, ..open };
                self.keep(&rule, &episode)?;
                if is_news {
                    findings.push(self.raised(detector, &episode, last, resolution));
                }
            }
            (Some(open), None) if is_tested => {
                let ever = flags.iter().any(|point| point.day >= open.first_day);
                let what = if ever { What::Clear } else { What::Retract };
                self.forget(&rule)?;
                let message = match what {
                    What::Clear => format!("{}: as expected again", self.name()),
                    _ => format!("{}: corrected counts are as expected", self.name()),
                };
                findings.push(self.finding(&rule, &open.opening, what, message, Vec::new()));
            }
            _ => {}
        }
        Ok(is_tested)
    }

    /// Is a flag young enough to raise something.
    fn is_of_today(&self, day: i32, step: i32) -> bool {
        let today = self.now.0.div_euclid(DAY_MICROS);
        let age_max = i64::from(self.config.age_days_max).max(2 * i64::from(step));
        today - i64::from(day) <= age_max
    }

    /// The day of which the event brought a count.
    fn about(&self) -> Option<i32> {
        match &self.event?.data {
            event::Data::Population(count) => parse_day(&count.day).map(Day::epoch_days),
            _ => i32::try_from(self.at.0.div_euclid(DAY_MICROS)).ok(),
        }
    }

    /// Groups that are compared: this one, and through it the others.
    fn groups(&self, findings: &mut Vec<Finding>) -> rusqlite::Result<()> {
        let all = disparities(self.conn, self.tenant, (&self.key.measure, &self.key.region), self.config)?;
        let Some(group) = all.iter().find(|group| group.stratum == self.key.stratum) else { return Ok(()) };
        let open = self.open("disparity")?;
        let today = i32::try_from(self.at.0.div_euclid(DAY_MICROS)).unwrap_or(0);
        match (&group.ratio, open) {
            (Err(why), None) => {
                let what = What::NotEvaluated(format!("{}: {why}", group.stratum));
                findings.push(self.finding("disparity", "", what, String::new(), Vec::new()));
            }
            // What was said of a group that is too small now cannot be said any more.
            (Err(_), Some(open)) | (Ok(_), Some(open)) if !group.is_disparity => {
                self.forget("disparity")?;
                let message = format!("{}: no longer a disparity", self.name());
                findings.push(self.finding("disparity", &open.opening, What::Clear, message, Vec::new()));
            }
            (Ok(_), open) if group.is_disparity && self.is_of_today(today, 1) => {
                let opening = open.map_or_else(
                    || self.event.map_or_else(|| self.key.subject(), |event| event.id.clone()),
                    |open| open.opening,
                );
                let episode = Episode { opening, first_day: today, last_day: today };
                self.keep("disparity", &episode)?;
                let what = What::Raise(self.config.disparity_severity);
                findings.push(self.finding(
                    "disparity",
                    &episode.opening,
                    what,
                    self.said_of(group),
                    Vec::new(),
                ));
            }
            _ => {}
        }
        Ok(())
    }

    fn said_of(&self, group: &Disparity) -> String {
        let Ok(ratio) = &group.ratio else { return String::new() };
        let who = if group.is_worse_off { "this group is worse off" } else { "the others are worse off" };
        let (low, high) = (ratio.interval.low, ratio.interval.high);
        format!(
            "{}: ratio to the others {:.2} (95 % interval {low:.2} to {high:.2}); {who}",
            self.name(),
            ratio.value
        )
    }

    fn name(&self) -> String {
        let place = if self.key.region.is_empty() { "everywhere" } else { &self.key.region };
        match self.key.stratum.as_str() {
            "" => format!("{} in {place}", self.key.measure),
            stratum => format!("{} in {place}, {stratum}", self.key.measure),
        }
    }

    fn raised(
        &self,
        detector: Detector,
        episode: &Episode,
        point: &Point,
        resolution: Resolution,
    ) -> Finding {
        let count = self.shown(point.observed.unwrap_or(0));
        let expected = match point.expected {
            // Beside a suppressed count the expectation would tell it.
            Some(expected) if !count.starts_with('<') => format!(", expected {expected:.1}"),
            _ => String::new(),
        };
        let since = match episode.first_day == point.day {
            true => String::new(),
            false => format!(", since {}", day_text(episode.first_day)),
        };
        let span = match resolution {
            Resolution::Day => "on",
            Resolution::Week => "in the week from",
        };
        let (name, day) = (self.name(), day_text(point.day));
        let message = format!("{name}: {count} {span} {day}{expected} ({}){since}", detector.name());
        let seen = Seen {
            name: self.key.measure.clone(),
            value: count,
            unit: None,
            at: Instant(i64::from(point.day) * DAY_MICROS),
            event: self.event.map(|event| event.id.clone()).unwrap_or_default(),
            source: self.event.map(|event| event.source.clone()).unwrap_or_default(),
        };
        self.finding(
            &detector.rule(),
            &episode.opening,
            What::Raise(self.config.severity),
            message,
            vec![seen],
        )
    }

    /// A count as it may be shown.
    fn shown(&self, count: u64) -> String {
        match count > 0 && count < self.config.suppress_below {
            true => format!("<{}", self.config.suppress_below),
            false => count.to_string(),
        }
    }

    /// Nobody has counted for days: said when time passes, and never taken for zero.
    fn silence(&self, daily: &Series) -> Option<String> {
        let (known, _) = daily.known(Resolution::Day);
        let (None, Some(newest)) = (self.event, known.last()) else { return None };
        let today = i32::try_from(self.now.0.div_euclid(DAY_MICROS)).unwrap_or(0);
        let n_silent = today - newest - 1;
        (SILENT_DAYS..EXPECTED_DAYS)
            .contains(&n_silent)
            .then(|| format!("nobody has counted since {}", day_text(*newest)))
    }

    fn not_watched(&self, why: &str) -> Finding {
        let why = What::NotEvaluated(format!("{}: {why}", self.name()));
        self.finding("outbreak", "", why, String::new(), Vec::new())
    }

    /// It can be looked at again, which ends what was said of it.
    fn watched(&self) -> Finding {
        self.finding("outbreak", "", What::Clear, String::new(), Vec::new())
    }

    fn finding(&self, rule: &str, opening: &str, what: What, message: String, seen: Vec<Seen>) -> Finding {
        let family = if rule == "disparity" { "disparity" } else { "outbreak" };
        let topic = match self.key.stratum.as_str() {
            "" => family.to_owned(),
            stratum => format!("{family}:{stratum}"),
        };
        Finding {
            rule: rule.to_owned(),
            version: VERSION.to_owned(),
            subject: self.key.subject(),
            what,
            at: self.at,
            opening: opening.to_owned(),
            event: self.event.map(|event| event.id.clone()),
            message,
            seen,
            topic,
            immediate: false,
            respond_within_mins: None,
        }
    }

    fn open(&self, rule: &str) -> rusqlite::Result<Option<Episode>> {
        let key = self.key;
        self.conn
            .prepare_cached(
                "SELECT opening, first_day, last_day FROM surv_episode
                 WHERE tenant = ?1 AND rule = ?2 AND measure = ?3 AND region = ?4 AND stratum = ?5",
            )?
            .query_row(params![self.tenant, rule, key.measure, key.region, key.stratum], |row| {
                Ok(Episode { opening: row.get(0)?, first_day: row.get(1)?, last_day: row.get(2)? })
            })
            .optional()
    }

    fn keep(&self, rule: &str, episode: &Episode) -> rusqlite::Result<()> {
        let key = self.key;
        self.conn
            .prepare_cached(
                "INSERT INTO surv_episode (tenant, rule, measure, region, stratum, opening, first_day, last_day)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET last_day = excluded.last_day",
            )?
            .execute(params![
                self.tenant,
                rule,
                key.measure,
                key.region,
                key.stratum,
                episode.opening,
                episode.first_day,
                episode.last_day
            ])?;
        Ok(())
    }

    fn forget(&self, rule: &str) -> rusqlite::Result<()> {
        let key = self.key;
        self.conn
            .prepare_cached(
                "DELETE FROM surv_episode WHERE tenant = ?1 AND rule = ?2 AND measure = ?3 AND region = ?4 AND stratum = ?5",
            )?
            .execute(params![self.tenant, rule, key.measure, key.region, key.stratum])?;
        Ok(())
    }
}

/// The first day of the run of flags that reaches the last one; calm shorter than `calm` days does not end it.
fn first_of(flags: &[&Point], calm: i32) -> i32 {
    let mut first = flags.last().map_or(0, |point| point.day);
    for point in flags.iter().rev() {
        if first - point.day > calm {
            break;
        }
        first = point.day;
    }
    first
}
