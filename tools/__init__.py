"""Programs that build, convert and measure; they import `nas_tf`, nothing imports them."""
