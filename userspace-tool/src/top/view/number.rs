// SPDX-License-Identifier: GPL-2.0

//! Numbers that fit into a column, and bars.

use ratatui::symbols::bar;

/// Units of numbers, the largest first.
const UNITS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

/// From where on a unit is used: a number below it has the next smaller one, rounded.
const ROUNDED: f64 = 0.9995;

/// A number in five characters at most, such as 0.4, 999, 19.5k or 1.2M.
pub(super) fn short(number: f64) -> String {
    let unit = UNITS.iter().find(|(size, _)| number >= size * ROUNDED);
    match unit {
        Some((size, unit)) => match number / size {
            few if few < 99.95 => format!("{few:.1}{unit}"),
            many => format!("{many:.0}{unit}"),
        },
        // Something is never shown as nothing.
        None if number > 0.0 && number < 0.1 => "<0.1".to_owned(),
        None if number < 9.95 && number.fract() != 0.0 => format!("{number:.1}"),
        None => format!("{number:.0}"),
    }
}

/// The last of these numbers as bars, one a column, the latest on the right; the greatest of them has the full height.
pub(super) fn bars(numbers: &[f64], width: usize) -> String {
    let levels = [
        bar::ONE_EIGHTH,
        bar::ONE_QUARTER,
        bar::THREE_EIGHTHS,
        bar::HALF,
        bar::FIVE_EIGHTHS,
        bar::THREE_QUARTERS,
        bar::SEVEN_EIGHTHS,
        bar::FULL,
    ];
    let shown = numbers.get(numbers.len().saturating_sub(width)..);
    let shown = shown.unwrap_or_default();
    let greatest = shown.iter().copied().fold(0.0, f64::max);
    let bar = |number: &f64| {
        if *number <= 0.0 {
            return " ";
        }
        let level = (number / greatest * levels.len() as f64).ceil() as usize;
        levels
            .get(level.saturating_sub(1))
            .copied()
            .unwrap_or(bar::FULL)
    };
    let bars: String = shown.iter().map(bar).collect();
    format!("{bars:>width$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, expected) in [
            (0.0, "0"),
            (0.04, "<0.1"),
            (0.44, "0.4"),
            (7.0, "7"),
            (9.99, "10"),
            (999.4, "999"),
            (999.6, "1.0k"),
            (1234.0, "1.2k"),
            (99_949.0, "99.9k"),
            (99_960.0, "100k"),
            (999_499.0, "999k"),
            (999_500.0, "1.0M"),
            (1.5e9, "1.5G"),
            (1e13, "10.0T"),
        ] {
            assert_eq!(short(number), expected, "{number}");
        }
    }

    #[test]
    fn bars_have_the_latest_on_the_right() {
        for (numbers, width, expected) in [
            (&[][..], 3, "   "),
            (&[0.0, 1.0, 4.0, 8.0], 6, "   ▁▄█"),
            (&[100.0, 1.0, 2.0], 2, "▄█"),
            (&[0.001, 1000.0], 2, "▁█"),
            (&[5.0], 0, ""),
        ] {
            assert_eq!(bars(numbers, width), expected, "{numbers:?}");
        }
    }
}
