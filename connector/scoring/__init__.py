"""From canonical tables to assessments: pure functions, frames in, frames out."""
