//! `GET /surveillance`: counts over time as a detector sees them.

use axum::response::Response;
use gate::Matter;
use http::StatusCode;
use stream::surveillance::{Detector, Key, Listed, Resolution, day_of};
use ui::frame::Place;
use ui::surveillance::{Point, Series, Shown, View, page};

use super::absent;
use crate::dashboard::PageAsk;
use crate::dashboard::answer::html;
use crate::dashboard::frame::frame_of;
use crate::error::ServerError;
use crate::fhir::controls::parameter;

/// Days or weeks of one page.
const POINTS_MAX: usize = 180;

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    let asked = ask.asked("series").map(str::to_owned);
    let Some((permit, platform)) = ask.streams(Matter::Surveillance, "").await? else {
        return Ok(absent(&ask, Place::Surveillance, "Surveillance"));
    };
    let listed = platform.series_of_counts(&permit).await?;
    let detector = match ask.asked("algorithm") {
        None => None,
        Some(code) => {
            Some(Detector::named(code).ok_or_else(|| parameter("algorithm", "use the code of a detector"))?)
        }
    };
    // What is flagged is looked at first.
    let wanted = match &asked {
        None => listed.iter().find(|one| one.is_flagged).or_else(|| listed.first()),
        Some(code) => listed.iter().find(|one| ui::surveillance::series_code(&series_of(one)) == *code),
    };
    let shown = match wanted {
        None => None,
        Some(one) => {
            let usual = platform.surveillance().of(&one.key.measure).detectors.first().copied();
            let detector = detector.or(usual).unwrap_or(Detector::EarsC1);
            Some((
                one,
                detector,
                platform.counts_as_seen(&permit, one.key.clone(), detector, POINTS_MAX).await?,
            ))
        }
    };
    let view = View {
        frame: frame_of(&ask),
        series: listed.iter().map(series_of).collect(),
        shown: shown.map(|(one, detector, seen)| shown_of(one, detector, &seen)),
        algorithms: Detector::all().map(|one| (one.code().to_owned(), one.name().to_owned())).collect(),
    };
    Ok(html(StatusCode::OK, page(&view)))
}

fn series_of(listed: &Listed) -> Series {
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let Key { measure, region, stratum } = &listed.key;
    Series {
        measure: measure.clone(),
        region: said(region),
        stratum: said(stratum),
        n_points: listed.n_points,
        last: listed.last.clone(),
        is_flagged: listed.is_flagged,
    }
}

fn shown_of(listed: &Listed, detector: Detector, seen: &stream::surveillance::Shown) -> Shown {
    let by = match seen.resolution {
        Resolution::Day => "days",
        Resolution::Week => "weeks",
    };
    let point = |point: &stream::surveillance::Point| Point {
        day: day_of(point.day),
        observed: point.observed,
        expected: point.expected,
        bound: point.bound,
        statistic: point.statistic,
        is_flagged: point.is_flagged,
    };
    Shown {
        series: series_of(listed),
        algorithm: detector.code().to_owned(),
        definition: vec![
            ("Detector".to_owned(), detector.definition().to_owned()),
            ("Counted in".to_owned(), by.to_owned()),
            ("Unknown".to_owned(), "a day of which nobody said anything is unknown, never zero".to_owned()),
        ],
        points: seen.points.iter().map(point).collect(),
        suppressed_below: seen.suppressed_below,
    }
}
