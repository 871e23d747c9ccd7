"""The inventory: the state of the metadata database that is kept between polls and updated by each poll."""
