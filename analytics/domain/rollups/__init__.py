"""Tables of figures made from what people did. `refreshing` is the way in; each of the others makes its tables."""
