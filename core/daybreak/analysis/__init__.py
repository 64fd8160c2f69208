"""daybreak.analysis"""
